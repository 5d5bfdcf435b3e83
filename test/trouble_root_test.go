//go:build root

package e2e

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func (c *real) takenPort(t *testing.T) {
	before := kernelObjects(t)
	other, err := net.Listen("tcp", localAddress)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	c.refused(
		t,
		[]string{"local", "start", "--address", localAddress},
		[]string{localAddress, "another program listens there", "choose another port"},
	)
	if _, err := os.Stat(c.state); !os.IsNotExist(err) {
		t.Errorf("the state folder was made: %v", err)
	}
	if after := kernelObjects(t); after != before {
		t.Errorf("changed:\n%s\nto\n%s", before, after)
	}
}

// another is the same program with another version in it.
func (c *real) another(t *testing.T) program {
	t.Helper()
	out, err := exec.Command(c.binary, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(out))
	version := words[len(words)-1]
	code, err := os.ReadFile(c.binary)
	if err != nil {
		t.Fatal(err)
	}
	code = bytes.ReplaceAll(code, []byte(version), []byte(strings.Repeat("9", len(version))))
	other := c.program
	other.binary = filepath.Join(t.TempDir(), "bin", "aloft")
	if err := os.MkdirAll(filepath.Dir(other.binary), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other.binary, code, 0o700); err != nil {
		t.Fatal(err)
	}
	return other
}

func (c *real) otherVersion(t *testing.T) {
	d := c.status(t, tutorialFolder)
	other := c.another(t)
	for _, args := range [][]string{{"up", tutorialFolder}, {"down", tutorialFolder, "--yes"}, {"local", "start"}} {
		other.refused(t, args, []string{"runs version", "this aloft is 999", "aloft local restart"})
	}
	other.refused(t, []string{"local", "restart"}, []string{"Only its owner may execute"})
	fetch(t, d.URL)
	if err := os.Chmod(other.binary, 0o755); err != nil {
		t.Fatal(err)
	}
	other.must(t, "local", "restart")
	for _, p := range []program{other, c.program} {
		if p == c.program {
			p.must(t, "local", "restart")
		}
		now := p.status(t, tutorialFolder)
		for i, m := range now.Machines {
			if m.InstanceID != d.Machines[i].InstanceID || m.State != "running" {
				t.Errorf("%+v became %+v", d.Machines[i], m)
			}
		}
		fetch(t, d.URL)
		if _, _, code := p.run(t, "plan", tutorialFolder); code != 0 {
			t.Errorf("plan after the restart: exit %d", code)
		}
	}
}
