//go:build linux

package engine

import (
	"math/bits"
	"sync/atomic"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

// histogram counts times.
type histogram [buckets]atomic.Uint64

func (h *histogram) add(d time.Duration) { h[bucketOf(d)].Add(1) }

// timings returns what histograms have counted together.
func timings(all ...*histogram) []balancer.Timing {
	found := []balancer.Timing{}
	for i := range buckets {
		var n uint64
		for _, h := range all {
			n += h[i].Load()
		}
		if n > 0 {
			found = append(found, balancer.Timing{From: bucketStart(i), To: bucketStart(i + 1), Count: n})
		}
	}
	return found
}

// A histogram counts times exactly below 16 µs. From there on each octave has sixteen
// buckets, up to the 72 minutes that 32 bits can hold.
const (
	bucketsPerOctave = 16
	octaves          = 32 - 4
	buckets          = (octaves + 1) * bucketsPerOctave
)

// bucketOf returns the bucket of a time.
func bucketOf(d time.Duration) int {
	us := uint64(max(d, 0) / time.Microsecond)
	if us >= 1<<32 {
		us = 1<<32 - 1
	}
	if us < bucketsPerOctave {
		return int(us)
	}
	octave := bits.Len64(us) - 5 // the five highest bits select the bucket
	return (octave+1)*bucketsPerOctave + int(us>>octave)%bucketsPerOctave
}

// bucketStart returns the shortest time that a bucket counts.
func bucketStart(bucket int) time.Duration {
	if bucket < bucketsPerOctave {
		return time.Duration(bucket) * time.Microsecond
	}
	us := time.Duration(bucketsPerOctave+bucket%bucketsPerOctave) << (bucket/bucketsPerOctave - 1)
	return us * time.Microsecond
}
