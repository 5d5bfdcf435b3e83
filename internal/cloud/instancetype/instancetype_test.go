package instancetype_test

import (
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
		if it.VCPUs < it.Cores || it.Cores < 1 || it.MemoryMiB < 512 || it.Interfaces < 2 || it.AddressesEach < 2 ||
			it.Network == "" || it.BaselineMbps < 32 || it.PeakMbps < it.BaselineMbps ||
			it.BaselineCPU < 5 || it.Burstable == (it.BaselineCPU == float64(100*it.VCPUs)) ||
			it.Burstable != (it.CPUCredits != "") {
			t.Errorf("%s is incomplete: %+v", it.Name, it)
		}
	}
}
