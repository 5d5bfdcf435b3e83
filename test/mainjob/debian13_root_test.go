//go:build linux && root

package mainjob

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"aloft.dev/aloft/test/program"
)

// TestRealDebian13IsBuiltWhenItIsFirstUsed deploys an application on a base image that no
// local cloud builds before it is needed. Where an earlier test built it, it is lent.
func TestRealDebian13IsBuiltWhenItIsFirstUsed(t *testing.T) {
	c := &deployed{LocalCloud: program.Start(t)}
	if out := c.Must(t, "local", "status"); !strings.Contains(out, "built when the first instance uses it") {
		t.Errorf("the status does not say that debian-13 is not built yet:\n%s", out)
	}
	program.LendImages(t, c.State, "debian-13")
	dir := t.TempDir()
	program.Write(t, filepath.Join(dir, "package.json"), "{}")
	program.Write(t, filepath.Join(dir, "server.js"), fmt.Sprintf(program.Greeter, "hello"))
	program.Write(t, filepath.Join(dir, "aloft.yaml"),
		program.SmallSpec("trixie", "debian-13", "source: {path: .}", "node server.js"))
	c.Must(t, "up", dir)
	d := c.Status(t, dir)
	if got := program.Fetch(t, d.URL); !strings.HasPrefix(got, "hello from ip-10-0-") {
		t.Errorf("the application answers %q", got)
	}
	for command, want := range map[string]string{
		". /etc/os-release; echo $ID$VERSION_ID":      "debian13",
		"readlink -f $(command -v node)":              "/opt/aloft/node/bin/node",
		"sudo systemctl --failed --no-legend | wc -l": "0",
	} {
		if got := c.OpenSSH(t, "trixie", d.Machines[0].PublicIP, command); got != want {
			t.Errorf("%s: %q, want %q", command, got, want)
		}
	}
	if out := c.Must(t, "local", "status"); strings.Contains(out, "building") {
		t.Errorf("the status shows a build that is over:\n%s", out)
	}
}
