//go:build linux && root

package mainjob

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aloft.dev/aloft/test/program"
)

// takenPort starts a local cloud on a port that another program uses.
func takenPort(t *testing.T, c *program.LocalCloud) {
	before := c.KernelObjects(t)
	other, err := net.Listen("tcp", program.LocalAddress)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	c.Refused(
		t,
		[]string{"local", "start", "--address", program.LocalAddress},
		[]string{program.LocalAddress, "another program listens there", "choose another port"},
	)
	if _, err := os.Stat(c.State); !os.IsNotExist(err) {
		t.Errorf("the state folder was created: %v", err)
	}
	if after := c.KernelObjects(t); after != before {
		t.Errorf("changed:\n%s\nto\n%s", before, after)
	}
}

// another returns a copy of the program with another version number.
func (c *deployed) another(t *testing.T) program.Program {
	t.Helper()
	out, err := exec.Command(c.Binary, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(out))
	version := words[len(words)-1]
	code, err := os.ReadFile(c.Binary)
	if err != nil {
		t.Fatal(err)
	}
	code = bytes.ReplaceAll(code, []byte(version), []byte(strings.Repeat("9", len(version))))
	other := c.Program
	other.Binary = filepath.Join(t.TempDir(), "bin", "aloft")
	if err := os.MkdirAll(filepath.Dir(other.Binary), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other.Binary, code, 0o700); err != nil {
		t.Fatal(err)
	}
	return other
}

func (c *deployed) otherVersion(t *testing.T) {
	d := c.Status(t, program.TutorialFolder)
	other := c.another(t)
	for _, args := range [][]string{
		{"up", program.TutorialFolder}, {"down", program.TutorialFolder, "--yes"}, {"local", "start"},
	} {
		other.Refused(t, args, []string{"runs version", "this aloft is 999", "aloft local restart"})
	}
	other.Refused(t, []string{"local", "restart"}, []string{"Only its owner may execute"})
	program.Fetch(t, d.URL)
	if err := os.Chmod(other.Binary, 0o755); err != nil {
		t.Fatal(err)
	}
	other.Must(t, "local", "restart")
	for _, p := range []program.Program{other, c.Program} {
		if p == c.Program {
			p.Must(t, "local", "restart")
		}
		now := p.Status(t, program.TutorialFolder)
		for i, m := range now.Machines {
			if m.InstanceID != d.Machines[i].InstanceID || m.State != "running" {
				t.Errorf("%+v became %+v", d.Machines[i], m)
			}
		}
		program.Fetch(t, d.URL)
		if _, _, code := p.Run(t, "plan", program.TutorialFolder); code != 0 {
			t.Errorf("plan after the restart: exit %d", code)
		}
	}
}
