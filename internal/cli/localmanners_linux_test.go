package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/cloud/manners"
)

func TestMannersThatAreNotGivenStay(t *testing.T) {
	seed, scale := uint64(7), 0.1
	before := manners.Settings{Manners: []manners.Manner{manners.Times}, Seed: 3, TimeScale: 0.5}
	for _, c := range []struct {
		change mannersChange
		want   manners.Settings
	}{
		{mannersChange{}, before},
		{mannersChange{seed: &seed}, manners.Settings{Manners: before.Manners, Seed: 7, TimeScale: 0.5}},
		{
			mannersChange{manners: []manners.Manner{}, timeScale: &scale},
			manners.Settings{Manners: []manners.Manner{}, Seed: 3, TimeScale: 0.1},
		},
	} {
		if diff := cmp.Diff(c.want, c.change.of(before)); diff != "" {
			t.Errorf("%+v:\n%s", c.change, diff)
		}
	}
}

func TestMannersInOneLine(t *testing.T) {
	for want, settings := range map[string]manners.Settings{
		"The local cloud is kind: instant, consistent and unlimited.": manners.Default(),
		"The local cloud has manners of AWS: times, load (seed 7, time scale 0.1).": {
			Manners: []manners.Manner{manners.Times, manners.Load}, Seed: 7, TimeScale: 0.1,
		},
		"The local cloud has manners of AWS: all (seed 0, time scale 1).": {Manners: manners.All(), TimeScale: 1},
	} {
		if got := mannersLine(settings); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
