package onetimecode_test

import (
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/onetimecode"
)

// The last six of the eight digits of RFC 6238, appendix B.
func TestCodesAreThoseOfTheStandard(t *testing.T) {
	seed := []byte("12345678901234567890")
	for seconds, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037",
		20000000000: "353130",
	} {
		step := onetimecode.Step(time.Unix(seconds, 0))
		if got := onetimecode.Code(seed, step); got != want {
			t.Errorf("at %d: got %s, want %s", seconds, got, want)
		}
		if got, ok := onetimecode.Find(seed, step-3, step+3, want); !ok || got != step {
			t.Errorf("at %d: found step %d, %v, want %d", seconds, got, ok, step)
		}
		if _, ok := onetimecode.Find(seed, step+1, step+3, want); ok {
			t.Errorf("at %d: found the code in later steps", seconds)
		}
	}
}
