//go:build linux

package mainjob

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/cloud/manners"
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

// The console of a type without the Nitro system is posted minutes after the start.
func TestNextUpKeepsHostKeysThatConsolesShowLate(t *testing.T) {
	text, err := os.ReadFile("../../internal/stack/testdata/tutorial.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "aloft.yaml")
	text = bytes.Replace(text, []byte("type: t3.micro"), []byte("type: t2.micro"), 1)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		c, b, s := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}, simulation.ParseSpec(t, file)
		c.Manners.Use(manners.Settings{Manners: []manners.Manner{manners.Times}, Seed: 3})
		d := simulation.Deployment(t, c.Client(t, nil), s, b, t.TempDir(), func(c *apply.Config) {
			c.Poll = 5 * time.Second
		})
		simulation.Up(t, d)
		time.Sleep(5 * time.Minute)
		simulation.Up(t, d)
		c.Machines.Output = func(string) []byte { return nil } // a stop loses it
		for _, m := range simulation.Must(d.Status(t.Context()))(t).Machines {
			if keys, err := d.HostKeys(t.Context(), m); err != nil || len(keys) != 1 {
				t.Errorf("%s: %v, %v", m.Name, keys, err)
			}
		}
	})
}
