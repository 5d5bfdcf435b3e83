package instancetype

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Requirements choose instance types by their attributes. They have the names of the members of
// InstanceRequirements in the APIs of Amazon EC2 and Auto Scaling, whose references also say what
// each means and what it is by default.
type Requirements struct {
	VCpuCount, MemoryMiB, MemoryGiBPerVCpu        Range
	NetworkInterfaceCount, NetworkBandwidthGbps   Range
	BaselineEbsBandwidthMbps                      Range
	AcceleratorCount, AcceleratorTotalMemoryMiB   Range
	TotalLocalStorageGB                           Range
	CpuManufacturers, InstanceGenerations         []string
	AllowedInstanceTypes, ExcludedInstanceTypes   []string // patterns: "m5.8xlarge", "c5*.*"
	AcceleratorTypes, AcceleratorNames            []string
	AcceleratorManufacturers                      []string
	BareMetal, BurstablePerformance, LocalStorage string // "included", "required", "excluded"
	RequireHibernateSupport                       bool
	RequireEncryptionInTransit                    bool
}

// Range is a range of numbers. A nil end is open.
type Range struct{ Min, Max *float64 }

// has reports whether the range contains n.
func (r Range) has(n float64) bool {
	return (r.Min == nil || n >= *r.Min) && (r.Max == nil || n <= *r.Max)
}

// ParseRequirements returns the requirements of an API's member InstanceRequirements, or an error
// that says which it lacks, or which contradict each other.
func ParseRequirements(member any) (Requirements, error) {
	text, err := json.Marshal(member)
	if err != nil {
		return Requirements{}, fmt.Errorf("encode the instance requirements: %w", err)
	}
	var q Requirements
	if err := json.Unmarshal(text, &q); err != nil {
		return Requirements{}, fmt.Errorf("decode the instance requirements: %w", err)
	}
	return q, q.check()
}

func (q Requirements) check() error {
	switch {
	case q.VCpuCount.Min == nil:
		return fmt.Errorf("the instance requirements must contain VCpuCount.Min")
	case q.MemoryMiB.Min == nil:
		return fmt.Errorf("the instance requirements must contain MemoryMiB.Min")
	case len(q.AllowedInstanceTypes) > 0 && len(q.ExcludedInstanceTypes) > 0:
		return fmt.Errorf("AllowedInstanceTypes and ExcludedInstanceTypes cannot be used together")
	}
	for name, r := range map[string]Range{
		"VCpuCount": q.VCpuCount, "MemoryMiB": q.MemoryMiB, "MemoryGiBPerVCpu": q.MemoryGiBPerVCpu,
		"NetworkInterfaceCount": q.NetworkInterfaceCount, "NetworkBandwidthGbps": q.NetworkBandwidthGbps,
		"BaselineEbsBandwidthMbps": q.BaselineEbsBandwidthMbps,
	} {
		if r.Min != nil && r.Max != nil && *r.Min > *r.Max {
			return fmt.Errorf("the minimum of %s is greater than its maximum", name)
		}
	}
	return nil
}

// Matching returns the types of an architecture that meet the requirements, the smallest first:
// AWS goes by price, which the local cloud does not know.
func (q Requirements) Matching(architecture Architecture) []Type {
	var found []Type
	for _, t := range catalogue().types {
		if t.Architecture == architecture && q.meets(t) {
			found = append(found, t)
		}
	}
	slices.SortStableFunc(found, CompareSizes)
	return found
}

// CompareSizes orders types by their vCPUs and then by their memory.
func CompareSizes(x, y Type) int {
	return cmp.Or(cmp.Compare(x.VCPUs, y.VCPUs), cmp.Compare(x.MemoryMiB, y.MemoryMiB))
}

func (q Requirements) meets(t Type) bool {
	gib := float64(t.MemoryMiB) / 1024
	return q.VCpuCount.has(float64(t.VCPUs)) &&
		q.MemoryMiB.has(float64(t.MemoryMiB)) &&
		q.MemoryGiBPerVCpu.has(gib/float64(t.VCPUs)) &&
		q.NetworkInterfaceCount.has(float64(t.Interfaces)) &&
		q.NetworkBandwidthGbps.has(float64(t.PeakMbps)/1000) &&
		q.BaselineEbsBandwidthMbps.has(float64(t.EBS.BaselineMbps)) &&
		permits(q.BurstablePerformance, "excluded", t.Burstable) &&
		contains(q.CpuManufacturers, manufacturers[t.Manufacturer]) &&
		contains(q.InstanceGenerations, t.generation()) &&
		(len(q.AllowedInstanceTypes) == 0 || matches(q.AllowedInstanceTypes, t.Name)) &&
		!matches(q.ExcludedInstanceTypes, t.Name) &&
		q.meetsWithoutDevices()
}

// meetsWithoutDevices reports whether types that are not bare metal, and that have neither disks
// of their own nor accelerators, can meet the requirements. All types of the catalogue are such.
func (q Requirements) meetsWithoutDevices() bool {
	return permits(q.BareMetal, "excluded", false) &&
		permits(q.LocalStorage, "included", false) &&
		q.TotalLocalStorageGB.has(0) && q.AcceleratorCount.has(0) && q.AcceleratorTotalMemoryMiB.has(0) &&
		len(q.AcceleratorTypes)+len(q.AcceleratorNames)+len(q.AcceleratorManufacturers) == 0 &&
		!q.RequireHibernateSupport && !q.RequireEncryptionInTransit
}

// permits reports whether a choice, or what it is by default, permits a type that has a property or
// lacks it.
func permits(choice, usual string, has bool) bool {
	switch cmp.Or(choice, usual) {
	case "required":
		return has
	case "excluded":
		return !has
	}
	return true
}

// contains reports whether a list of choices contains a value. An empty list contains all.
func contains(choices []string, value string) bool {
	return len(choices) == 0 || slices.Contains(choices, value)
}

// manufacturers maps the names of manufacturers of processors to those of requirements.
var manufacturers = map[string]string{"Intel": "intel", "AMD": "amd", "AWS": "amazon-web-services"}

func (t Type) generation() string {
	if t.PreviousGeneration {
		return "previous"
	}
	return "current"
}

// matches reports whether a name matches one of the patterns, in which * stands for any characters.
func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, err := path.Match(strings.NewReplacer("[", `\[`, "?", `\?`, `\`, `\\`).Replace(pattern), name)
		return ok && err == nil
	})
}
