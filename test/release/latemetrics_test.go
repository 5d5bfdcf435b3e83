//go:build linux

package release

import (
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/test/simulation"
)

// On AWS the metrics of the bake arrive when it has long ended.
func TestErrorsThatAreReportedLateRollTheReleaseBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulation.NewApplication(t)
		s.Manners.Use(manners.Settings{Manners: []manners.Manner{manners.Times}, Seed: 3})
		s.Spec.Release.Bake = 30 * time.Second
		traffic := time.NewTicker(10 * time.Second)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for {
				select {
				case <-t.Context().Done():
					return
				case <-traffic.C:
				}
				errors := 0.0
				if counts(s, "r2") == 3 {
					errors = 20
				}
				answers(s, 100, errors)
			}
		}()
		t.Cleanup(func() { <-ended })
		b := &simulation.Builder{ReleaseName: "r2"}
		seldom := func(c *apply.Config) { c.Poll = 5 * time.Second }
		_, err := simulation.Deployment(t, s.Client(t, nil), s.Spec, b, s.Keys, seldom).Up(t.Context())
		simulation.Contains(t, simulation.RolledBack(t, err), "of requests ended with 5xx", "release r1 was restored")
		s.Manners.Use(manners.Settings{}) // a terminated server is gone at once
		s.Serves(t, "r1")
	})
}
