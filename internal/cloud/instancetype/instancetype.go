// Package instancetype is a catalogue of the instance types that the local cloud
// offers, with their processors, memory and network interfaces.
//
// Its facts are what DescribeInstanceTypes of Amazon EC2 returns in us-east-1, and for the
// processor time of burstable and flex types the Amazon EC2 User Guide, "Key concepts for
// burstable performance instances", and the Amazon EC2 Instance Types guide. It leaves out types
// that are chosen for what the local cloud does not have: bare metal, accelerators, Apple's
// machines, and disks in the host. Types of the first generations are in it although
// theirs had such disks.
package instancetype

import "strings"

// Type describes an instance type.
type Type struct {
	Name             string // "t3.micro"
	VCPUs            int
	Cores            int
	ValidCores       []int   // numbers of cores that a launch may ask for; nil: it may not ask
	ValidThreads     []int   // likewise of threads of a core
	BaselineCPU      float64 // processor time that it always has, in percent of one vCPU: 20 for two with 10% each
	MemoryMiB        int
	Network          string  // in AWS's words: "Up to 5 Gigabit"
	BaselineMbps     int     // network bandwidth that it always has, in each direction, in Mbit/s
	PeakMbps         int     // network bandwidth that it has while its network credits last
	Interfaces       int     // maximum number of network interfaces
	AddressesEach    int     // maximum number of IPv4 addresses per interface
	Hypervisor       string  // "nitro", "xen"
	Manufacturer     string  // "Intel", "AMD", "AWS"
	ClockGHz         float64 // sustained clock speed; 0: AWS does not tell
	Architecture     Architecture
	Burstable        bool
	CPUCredits       string // default of burstable types: "standard", "unlimited"
	FreeTier         bool
	EBSOptimized     string  // "default", "supported", "unsupported"
	EBS              EBSRate // what volumes may transfer where EBSOptimized is not "unsupported"
	ENASupport       string  // "required", "supported", "unsupported"
	ClusterPlacement bool    // supports cluster placement groups

	// PreviousGeneration is set for a type that AWS still launches but no longer recommends.
	PreviousGeneration bool
}

// EBSRate is how much a type's volumes may transfer: always, and at most.
type EBSRate struct {
	BaselineMbps, PeakMbps int // Mbit/s
	BaselineIOPS, PeakIOPS int
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

// ArchitectureOf returns the architecture of the type with the name, or "" if there is no
// such type.
func ArchitectureOf(name string) Architecture {
	t, _ := ByName(name)
	return t.Architecture
}
