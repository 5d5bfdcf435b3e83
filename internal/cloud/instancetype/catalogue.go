package instancetype

import "slices"

// size holds what differs between the types of a family.
type size struct {
	name          string
	vcpus         int
	memoryMiB     int
	interfaces    int
	addressesEach int
	baselineMbps  int
	baselineCPU   float64 // of each vCPU, in percent
}

var catalogue = slices.Concat(
	family(
		Type{
			Name:         "m1",
			Network:      "Low",
			PeakMbps:     300,
			Hypervisor:   "xen",
			Manufacturer: "Intel",
			Architecture: X8664,
			EBSOptimized: "unsupported",
			ENASupport:   "unsupported",

			PreviousGeneration: true,
		},
		1,
		size{"small", 1, 1740, 2, 4, 300, 100},
	),
	family(
		Type{
			Name:         "t2",
			Network:      "Low to Moderate",
			PeakMbps:     1024,
			Hypervisor:   "xen",
			Manufacturer: "Intel",
			Architecture: X8664,
			Burstable:    true,
			CPUCredits:   "standard",
			EBSOptimized: "unsupported",
			ENASupport:   "unsupported",
		},
		1,
		size{"nano", 1, 512, 2, 2, 32, 5},
		size{"micro", 1, 1024, 2, 2, 64, 10},
		size{"small", 1, 2048, 3, 4, 128, 20},
		size{"medium", 2, 4096, 3, 6, 256, 20},
		size{"large", 2, 8192, 3, 12, 512, 30},
		size{"xlarge", 4, 16384, 3, 15, 750, 22.5},
		size{"2xlarge", 8, 32768, 3, 15, 1000, 17},
	),
	family(
		Type{
			Name:         "t3",
			Network:      "Up to 5 Gigabit",
			PeakMbps:     5000,
			Hypervisor:   "nitro",
			Manufacturer: "Intel",
			Architecture: X8664,
			Burstable:    true,
			CPUCredits:   "unlimited",
			EBSOptimized: "default",
			ENASupport:   "required",
		},
		2,
		size{"nano", 2, 512, 2, 2, 32, 5},
		size{"micro", 2, 1024, 2, 2, 64, 10},
		size{"small", 2, 2048, 3, 4, 128, 20},
		size{"medium", 2, 4096, 3, 6, 256, 20},
		size{"large", 2, 8192, 3, 12, 512, 30},
		size{"xlarge", 4, 16384, 4, 15, 1024, 40},
		size{"2xlarge", 8, 32768, 4, 15, 2048, 40},
	),
	family(
		Type{
			Name:         "t3a",
			Network:      "Up to 5 Gigabit",
			PeakMbps:     5000,
			Hypervisor:   "nitro",
			Manufacturer: "AMD",
			Architecture: X8664,
			Burstable:    true,
			CPUCredits:   "unlimited",
			EBSOptimized: "default",
			ENASupport:   "required",
		},
		2,
		size{"nano", 2, 512, 2, 2, 32, 5},
		size{"micro", 2, 1024, 2, 2, 64, 10},
		size{"small", 2, 2048, 2, 4, 128, 20},
		size{"medium", 2, 4096, 3, 6, 256, 20},
		size{"large", 2, 8192, 3, 12, 512, 30},
		size{"xlarge", 4, 16384, 4, 15, 1024, 40},
		size{"2xlarge", 8, 32768, 4, 15, 2048, 40},
	),
	family(
		fifthGeneration("m5"),
		2,
		size{"large", 2, 8192, 3, 10, 750, 100},
		size{"xlarge", 4, 16384, 4, 15, 1250, 100},
		size{"2xlarge", 8, 32768, 4, 15, 2500, 100},
		size{"4xlarge", 16, 65536, 8, 30, 5000, 100},
	),
	family(
		fifthGeneration("c5"),
		2,
		size{"large", 2, 4096, 3, 10, 750, 100},
		size{"xlarge", 4, 8192, 4, 15, 1250, 100},
		size{"2xlarge", 8, 16384, 4, 15, 2500, 100},
		size{"4xlarge", 16, 32768, 8, 30, 5000, 100},
	),
	family(
		fifthGeneration("r5"),
		2,
		size{"large", 2, 16384, 3, 10, 750, 100},
		size{"xlarge", 4, 32768, 4, 15, 1250, 100},
		size{"2xlarge", 8, 65536, 4, 15, 2500, 100},
	),
	family(
		Type{
			Name:         "t4g",
			Network:      "Up to 5 Gigabit",
			PeakMbps:     5000,
			Hypervisor:   "nitro",
			Manufacturer: "AWS",
			Architecture: ARM64,
			Burstable:    true,
			CPUCredits:   "unlimited",
			EBSOptimized: "default",
			ENASupport:   "required",
		},
		1,
		size{"nano", 2, 512, 2, 2, 32, 5},
		size{"micro", 2, 1024, 2, 2, 64, 10},
		size{"small", 2, 2048, 3, 4, 128, 20},
		size{"medium", 2, 4096, 3, 6, 256, 20},
		size{"large", 2, 8192, 3, 12, 512, 30},
		size{"xlarge", 4, 16384, 4, 15, 1024, 40},
		size{"2xlarge", 8, 32768, 4, 15, 2048, 40},
	),
	family(
		secondGraviton("m6g"),
		1,
		size{"medium", 1, 4096, 2, 4, 500, 100},
		size{"large", 2, 8192, 3, 10, 750, 100},
		size{"xlarge", 4, 16384, 4, 15, 1250, 100},
		size{"2xlarge", 8, 32768, 4, 15, 2500, 100},
		size{"4xlarge", 16, 65536, 8, 30, 5000, 100},
	),
	family(
		secondGraviton("c6g"),
		1,
		size{"medium", 1, 2048, 2, 4, 500, 100},
		size{"large", 2, 4096, 3, 10, 750, 100},
		size{"xlarge", 4, 8192, 4, 15, 1250, 100},
		size{"2xlarge", 8, 16384, 4, 15, 2500, 100},
		size{"4xlarge", 16, 32768, 8, 30, 5000, 100},
	),
)

// secondGraviton returns what the types of a family with AWS's Graviton2 processors have
// in common.
func secondGraviton(name string) Type {
	return Type{
		Name:             name,
		Network:          "Up to 10 Gigabit",
		PeakMbps:         10000,
		Hypervisor:       "nitro",
		Manufacturer:     "AWS",
		Architecture:     ARM64,
		EBSOptimized:     "default",
		ENASupport:       "required",
		ClusterPlacement: true,
	}
}

// fifthGeneration returns what the types of an Intel family of the fifth generation
// have in common.
func fifthGeneration(name string) Type {
	return Type{
		Name:             name,
		Network:          "Up to 10 Gigabit",
		PeakMbps:         10000,
		Hypervisor:       "nitro",
		Manufacturer:     "Intel",
		Architecture:     X8664,
		EBSOptimized:     "default",
		ENASupport:       "required",
		ClusterPlacement: true,
	}
}

// family returns the types of a family. threads is the number of threads per
// core.
func family(common Type, threads int, sizes ...size) []Type {
	out := make([]Type, 0, len(sizes))
	for _, s := range sizes {
		t := common
		t.Name = common.Name + "." + s.name
		t.VCPUs, t.Cores, t.MemoryMiB = s.vcpus, max(1, s.vcpus/threads), s.memoryMiB
		t.Interfaces, t.AddressesEach = s.interfaces, s.addressesEach
		t.BaselineMbps, t.BaselineCPU = s.baselineMbps, s.baselineCPU*float64(s.vcpus)
		t.FreeTier = t.Name == "t2.micro" || t.Name == "t3.micro"
		out = append(out, t)
	}
	return out
}
