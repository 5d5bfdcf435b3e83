package mainjob

import (
	"testing"

	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/test/simulation"
)

// On AWS a console shows the host keys once, and a stop loses it.
func TestHostKeysAreKnownWithoutTheConsoles(t *testing.T) {
	for name, application := range map[string]func(*testing.T) *spec.Spec{
		"servers": simulation.Tutorial, "group": simulation.ScalingTutorial,
	} {
		t.Run(name, func(t *testing.T) {
			c, b := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}
			d := simulation.Deployment(t, c.Client(t, nil), application(t), b, t.TempDir())
			simulation.Up(t, d)
			c.Machines.Output = func(string) []byte { return nil }
			elsewhere := simulation.Deployment(t, c.Client(t, nil), application(t), b, t.TempDir())
			status, err := elsewhere.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range status.Machines {
				if keys, err := elsewhere.HostKeys(t.Context(), m); err != nil || len(keys) != 1 {
					t.Errorf("%s: %v, %v", m.Name, keys, err)
				}
			}
			if n := len(status.Machines); n != 3 {
				t.Errorf("%d servers", n)
			}
		})
	}
}
