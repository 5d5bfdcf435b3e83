//go:build linux && root

package scaling

import (
	"testing"

	"aloft.dev/aloft/test/program"
)

// TestRealScaling changes the number and the kind of the tutorial's servers on real
// machines at 300 requests per second: a group grows, shrinks, becomes fixed
// servers and a group again. No request fails, and nothing is left at the end.
func TestRealScaling(t *testing.T) {
	c := program.Start(t)
	group, fixed := program.WithSpec(t, "scaling: {min: 3, max: 6}"), program.WithSpec(t, "machines: {count: 3}")
	c.Must(t, "up", group)
	url := c.Status(t, group).URL
	stop := program.UnderLoad(t, url)
	for _, step := range []struct {
		name    string
		args    []string
		servers int
	}{
		{"the group grows", []string{"scale", "6", group}, 6},
		{"the group shrinks", []string{"scale", "3", group}, 3},
		{"the group becomes fixed servers", []string{"up", fixed}, 3},
		{"the fixed servers become a group", []string{"up", group}, 3},
	} {
		t.Run(step.name, func(t *testing.T) {
			c.Must(t, step.args...)
			is := c.Status(t, group)
			zones := map[string]bool{}
			for _, m := range is.Machines {
				if m.Health == "healthy" {
					zones[m.Zone] = true
				}
			}
			if len(zones) != 3 || len(is.Machines) != step.servers || is.URL != url {
				t.Errorf("%+v", is)
			}
		})
	}
	stop()
	c.Must(t, "verify", group)
	c.Must(t, "down", group, "--images", "--yes")
}
