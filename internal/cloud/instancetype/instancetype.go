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
