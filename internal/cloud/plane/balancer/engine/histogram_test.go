//go:build linux

package engine

import (
	"testing"
	"time"
)

func TestTimesAreCountedInTheirBucket(t *testing.T) {
	for _, d := range []time.Duration{
		0, time.Microsecond, 15 * time.Microsecond, 16 * time.Microsecond, 31 * time.Microsecond,
		32 * time.Microsecond, 333 * time.Microsecond, time.Millisecond, 20 * time.Millisecond,
		time.Second, 59 * time.Second, time.Hour,
	} {
		bucket := bucketOf(d)
		from, to := bucketStart(bucket), bucketStart(bucket+1)
		if d < from || d >= to || to-from > max(time.Microsecond, from/bucketsPerOctave) {
			t.Errorf("%v is counted from %v to %v", d, from, to)
		}
	}
	if bucketOf(-time.Second) != 0 || bucketOf(1000*time.Hour) != buckets-1 {
		t.Error("times out of range are not in the first or last bucket")
	}
	for i := range buckets - 1 {
		if bucketStart(i) >= bucketStart(i+1) {
			t.Fatalf("bucket %d begins at %v, the next at %v", i, bucketStart(i), bucketStart(i+1))
		}
	}
}
