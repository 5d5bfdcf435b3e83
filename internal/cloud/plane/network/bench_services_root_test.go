//go:build linux && root

package network

import (
	"slices"
	"testing"
	"time"
)

// reportLatency does something again and again, and reports the median and the 99th percentile of
// how long it takes.
func reportLatency(b *testing.B, do func() error) {
	b.Helper()
	var all []time.Duration
	for b.Loop() {
		start := time.Now()
		if err := do(); err != nil {
			b.Fatal(err)
		}
		all = append(all, time.Since(start))
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds()), "µs-median")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "µs-p99")
}

// A token and a value, on a connection each.
func BenchmarkRealMetadata(b *testing.B) {
	s := newSite(b, withMachineServices(b))
	a := s.machine("a")
	s.set(newVPC("v", eni("v", "10.0.1.10", a)))
	reportLatency(b, func() error { _, err := readInstanceID(a); return err })
}

func BenchmarkRealDNS(b *testing.B) {
	s := newSite(b, withMachineServices(b))
	a := s.machine("a")
	s.set(newVPC("v", eni("v", "10.0.1.10", a)))
	reportLatency(b, func() error { _, err := resolve(a, "udp", "10.0.0.2:53"); return err })
}
