package instancetype_test

import (
	"slices"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/instancetype"
)

func TestByName(t *testing.T) {
	got, ok := instancetype.ByName("t3.micro")
	if !ok || got.BaselineMbps != 64 || got.PeakMbps != 5000 || got.BaselineCPU != 20 {
		t.Errorf("ByName(t3.micro) = %+v, %v", got, ok)
	}
	if !ok || got.VCPUs != 2 || got.Cores != 1 || got.MemoryMiB != 1024 || got.Family() != "t3" || !got.FreeTier {
		t.Errorf("ByName(t3.micro) = %+v, %v", got, ok)
	}
	got, ok = instancetype.ByName("m5.12xlarge")
	if rate := (instancetype.EBSRate{9500, 9500, 40000, 40000}); !ok || got.VCPUs != 48 || got.EBS != rate ||
		got.ClockGHz != 3.1 {
		t.Errorf("ByName(m5.12xlarge) = %+v, %v", got, ok)
	}
	if !slices.Equal(got.ValidThreads, []int{1, 2}) || !slices.Equal(got.ValidCores, []int{
		2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24,
	}) {
		t.Errorf("processors of m5.12xlarge: %v, %v", got.ValidCores, got.ValidThreads)
	}
	if got, ok := instancetype.ByName("t1.micro"); !ok || !got.PreviousGeneration || got.EBS.PeakMbps != 0 {
		t.Errorf("ByName(t1.micro) = %+v, %v", got, ok)
	}
	if got, ok := instancetype.ByName("t3.none"); ok {
		t.Errorf("ByName(t3.none) = %+v", got)
	}
}

func TestEveryTypeIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, it := range instancetype.All() {
		if seen[it.Name] {
			t.Errorf("%s is listed twice", it.Name)
		}
		seen[it.Name] = true
		flex := strings.HasSuffix(it.Family(), "-flex")
		optimized := it.EBSOptimized != "unsupported"
		if it.VCPUs < it.Cores || it.Cores < 1 || it.MemoryMiB < 512 || it.Interfaces < 2 || it.AddressesEach < 2 ||
			it.Network == "" || it.BaselineMbps < 32 || it.PeakMbps < it.BaselineMbps ||
			it.Manufacturer == "" || it.Hypervisor == "" || it.ENASupport == "" ||
			it.Architecture != instancetype.X8664 && it.Architecture != instancetype.ARM64 ||
			it.BaselineCPU < 5 || (it.Burstable || flex) == (it.BaselineCPU == float64(100*it.VCPUs)) ||
			it.Burstable != (it.CPUCredits != "") || optimized != (it.EBS.BaselineMbps > 0) ||
			it.ValidCores != nil && !slices.Contains(it.ValidCores, it.Cores) ||
			it.ValidThreads != nil && !slices.Contains(it.ValidThreads, it.VCPUs/it.Cores) ||
			it.EBS.PeakMbps < it.EBS.BaselineMbps || it.EBS.PeakIOPS < it.EBS.BaselineIOPS {
			t.Errorf("%s is incomplete: %+v", it.Name, it)
		}
	}
}
