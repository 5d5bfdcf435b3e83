// Package instancetype is a catalogue of the instance types that the local cloud
// offers, with their processors, memory and network interfaces.
//
// Its facts are from the Amazon EC2 Instance Types guide, general purpose and
// compute optimized specifications, and the Amazon EC2 User Guide, Key concepts for burstable
// performance instances; those on bandwidth are what DescribeInstanceTypes returns.
package instancetype

import (
	"slices"
	"strings"
)

// Type describes an instance type.
type Type struct {
	Name             string // "t3.micro"
	VCPUs            int
	Cores            int
	BaselineCPU      float64 // processor time that it always has, in percent of one vCPU: 20 for two with 10% each
	MemoryMiB        int
	Network          string // in AWS's words: "Up to 5 Gigabit"
	BaselineMbps     int    // network bandwidth that it always has, in each direction, in Mbit/s
	PeakMbps         int    // network bandwidth that it has while its network credits last
	Interfaces       int    // maximum number of network interfaces
	AddressesEach    int    // maximum number of IPv4 addresses per interface
	Hypervisor       string // "nitro", "xen"
	Manufacturer     string // "Intel", "AMD", "AWS"
	Architecture     Architecture
	Burstable        bool
	CPUCredits       string // default of burstable types: "standard", "unlimited"
	FreeTier         bool
	EBSOptimized     string // "default", "unsupported"
	ENASupport       string // "required", "unsupported"
	ClusterPlacement bool   // supports cluster placement groups

	// PreviousGeneration is set for a type that AWS still launches but no longer recommends.
	PreviousGeneration bool
}

// Architecture is an instruction set, by EC2's name. An instance starts from images of
// its type's architecture alone.
type Architecture string

// The architectures of the catalogue.
const (
	X8664 Architecture = "x86_64"
	ARM64 Architecture = "arm64"
)

// Family returns the part of the name before the dot.
func (t Type) Family() string {
	family, _, _ := strings.Cut(t.Name, ".")
	return family
}

// Default is the type of an instance for which a request names none (Amazon EC2 API
// Reference, RunInstances).
const Default = "m1.small"

// ByName returns the type with the name, and whether it is offered.
func ByName(name string) (Type, bool) {
	i := slices.IndexFunc(catalogue, func(t Type) bool { return t.Name == name })
	if i < 0 {
		return Type{}, false
	}
	return catalogue[i], true
}

// ArchitectureOf returns the architecture of the type with the name, or "" if there is no
// such type.
func ArchitectureOf(name string) Architecture {
	t, _ := ByName(name)
	return t.Architecture
}

// All returns every type offered, in catalogue order.
func All() []Type { return slices.Clone(catalogue) }
