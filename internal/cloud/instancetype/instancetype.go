// Package instancetype is the catalogue of instance types that the local cloud
// offers: what each one promises in processors, memory and interfaces.
//
// Source of the facts: Amazon EC2 Instance Types guide, general purpose and
// compute optimized specifications.
package instancetype

import (
	"slices"
	"strings"
)

// Type is one instance type.
type Type struct {
	Name             string // "t3.micro"
	VCPUs            int
	Cores            int
	MemoryMiB        int
	Network          string // AWS's words: "Up to 5 Gigabit"
	Interfaces       int    // most network interfaces attached
	AddressesEach    int    // most IPv4 addresses on one interface
	Hypervisor       string // "nitro", "xen"
	Manufacturer     string // "Intel", "AMD"
	Burstable        bool
	CPUCredits       string // default of burstable types: "standard", "unlimited"
	FreeTier         bool
	EBSOptimized     string // "default", "unsupported"
	ENASupport       string // "required", "unsupported"
	ClusterPlacement bool   // may be in cluster placement groups
}

// Family is the part of the name before the dot.
func (t Type) Family() string {
	family, _, _ := strings.Cut(t.Name, ".")
	return family
}

// ByName returns the type with the name, and whether it is offered.
func ByName(name string) (Type, bool) {
	i := slices.IndexFunc(catalogue, func(t Type) bool { return t.Name == name })
	if i < 0 {
		return Type{}, false
	}
	return catalogue[i], true
}

// All returns every type offered, in the catalogue's order.
func All() []Type { return slices.Clone(catalogue) }

// size is what differs between the types of a family.
type size struct {
	name          string
	vcpus         int
	memoryMiB     int
	interfaces    int
	addressesEach int
}

var catalogue = slices.Concat(
	family(
		Type{
			Name:         "t2",
			Network:      "Low to Moderate",
			Hypervisor:   "xen",
			Manufacturer: "Intel",
			Burstable:    true,
			CPUCredits:   "standard",
			EBSOptimized: "unsupported",
			ENASupport:   "unsupported",
		},
		1,
		size{
			"nano",
			1,
			512,
			2,
			2,
		},
		size{"micro", 1, 1024, 2, 2},
		size{"small", 1, 2048, 3, 4},
		size{"medium", 2, 4096, 3, 6},
		size{"large", 2, 8192, 3, 12},
		size{"xlarge", 4, 16384, 3, 15},
		size{"2xlarge", 8, 32768, 3, 15},
	),
	family(
		Type{
			Name:         "t3",
			Network:      "Up to 5 Gigabit",
			Hypervisor:   "nitro",
			Manufacturer: "Intel",
			Burstable:    true,
			CPUCredits:   "unlimited",
			EBSOptimized: "default",
			ENASupport:   "required",
		},
		2,
		size{
			"nano",
			2,
			512,
			2,
			2,
		},
		size{"micro", 2, 1024, 2, 2},
		size{"small", 2, 2048, 3, 4},
		size{"medium", 2, 4096, 3, 6},
		size{"large", 2, 8192, 3, 12},
		size{"xlarge", 4, 16384, 4, 15},
		size{"2xlarge", 8, 32768, 4, 15},
	),
	family(
		Type{
			Name:         "t3a",
			Network:      "Up to 5 Gigabit",
			Hypervisor:   "nitro",
			Manufacturer: "AMD",
			Burstable:    true,
			CPUCredits:   "unlimited",
			EBSOptimized: "default",
			ENASupport:   "required",
		},
		2,
		size{
			"nano",
			2,
			512,
			2,
			2,
		},
		size{"micro", 2, 1024, 2, 2},
		size{"small", 2, 2048, 2, 4},
		size{"medium", 2, 4096, 3, 6},
		size{"large", 2, 8192, 3, 12},
		size{"xlarge", 4, 16384, 4, 15},
		size{"2xlarge", 8, 32768, 4, 15},
	),
	family(
		Type{
			Name:             "m5",
			Network:          "Up to 10 Gigabit",
			Hypervisor:       "nitro",
			Manufacturer:     "Intel",
			EBSOptimized:     "default",
			ENASupport:       "required",
			ClusterPlacement: true,
		},
		2,
		size{
			"large",
			2,
			8192,
			3,
			10,
		},
		size{"xlarge", 4, 16384, 4, 15},
		size{"2xlarge", 8, 32768, 4, 15},
		size{"4xlarge", 16, 65536, 8, 30},
	),
	family(
		Type{
			Name:             "c5",
			Network:          "Up to 10 Gigabit",
			Hypervisor:       "nitro",
			Manufacturer:     "Intel",
			EBSOptimized:     "default",
			ENASupport:       "required",
			ClusterPlacement: true,
		},
		2,
		size{
			"large",
			2,
			4096,
			3,
			10,
		},
		size{"xlarge", 4, 8192, 4, 15},
		size{"2xlarge", 8, 16384, 4, 15},
		size{"4xlarge", 16, 32768, 8, 30},
	),
	family(
		Type{
			Name:             "r5",
			Network:          "Up to 10 Gigabit",
			Hypervisor:       "nitro",
			Manufacturer:     "Intel",
			EBSOptimized:     "default",
			ENASupport:       "required",
			ClusterPlacement: true,
		},
		2,
		size{"large", 2, 16384, 3, 10},
		size{"xlarge", 4, 32768, 4, 15},
		size{"2xlarge", 8, 65536, 4, 15},
	),
)

func family(of Type, threads int, sizes ...size) []Type {
	types := make([]Type, 0, len(sizes))
	for _, s := range sizes {
		t := of
		t.Name = of.Name + "." + s.name
		t.VCPUs, t.Cores, t.MemoryMiB = s.vcpus, max(1, s.vcpus/threads), s.memoryMiB
		t.Interfaces, t.AddressesEach = s.interfaces, s.addressesEach
		t.FreeTier = t.Name == "t2.micro" || t.Name == "t3.micro"
		types = append(types, t)
	}
	return types
}
