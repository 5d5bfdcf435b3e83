//go:build linux

package manners

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/test/simulation"
)

var (
	seeds  = flag.Int("seeds", 20, "number of seeds with all manners")
	single = flag.Int("single", 1, "number of seeds with each manner by itself")
	report = flag.String("report", "", "file to write what the journeys measured to")
)

// modes are the ways to run servers.
var modes = []struct {
	name string
	spec func(t *testing.T) *spec.Spec
}{
	{"fixed", simulation.Tutorial},
	{"scaling", simulation.ScalingTutorial},
}

// results collects what the journeys measured.
type results struct {
	mu  sync.Mutex
	all []Result
}

func (r *results) add(result Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, result)
}

// write writes the results to the file that -report names.
func (r *results) write(t *testing.T) {
	if *report == "" {
		return
	}
	data, err := json.Marshal(r.all)
	if err == nil {
		err = os.WriteFile(*report, data, 0o600)
	}
	if err != nil {
		t.Error(err)
	}
}

// TestJourneys runs the life of a deployment, fixed and scaling, on clouds with all of
// AWS's manners, and with each by itself, at AWS's own speed.
func TestJourneys(t *testing.T) {
	var r results
	t.Run("all", func(t *testing.T) {
		travelAll(t, "aws", *seeds, &r)
		for _, m := range manners.All() {
			travelAll(t, string(m), *single, &r)
		}
	})
	r.write(t)
}

// travelAll runs a journey in both modes for every seed.
func travelAll(t *testing.T, names string, seeds int, r *results) {
	for seed := range uint64(seeds) {
		for _, mode := range modes {
			t.Run(fmt.Sprint(names, "-", mode.name, "-", seed), func(t *testing.T) {
				t.Parallel()
				travel(t, mode.name, mode.spec, names, seed, r)
			})
		}
	}
}

// travel runs all stages of a journey.
func travel(t *testing.T, mode string, of func(*testing.T) *spec.Spec, names string, seed uint64, r *results) {
	keys := t.TempDir()
	list, err := manners.Parse(names)
	if err != nil {
		t.Fatal(err)
	}
	result := Result{Manners: names, Mode: mode, Seed: seed}
	defer func() { r.add(result) }()
	synctest.Test(t, func(t *testing.T) {
		j := begin(t, of(t), manners.Settings{Manners: list, Seed: seed}, keys)
		for _, s := range stages {
			began := time.Now()
			result.Stages = append(result.Stages, StageResult{Name: s.name})
			s.run(t, j)
			last := &result.Stages[len(result.Stages)-1]
			last.Passed, last.Took = !t.Failed(), time.Since(began)
			if s.name == "up" {
				result.Up, result.Path = j.last.Took, j.last.CriticalPath
			}
		}
	})
}
