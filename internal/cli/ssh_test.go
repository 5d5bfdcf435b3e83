package cli

import (
	"os/exec"
	"strings"
	"testing"
)

// TestPathsReachOpenSSHUnchanged asks the OpenSSH client how it understands paths.
func TestPathsReachOpenSSHUnchanged(t *testing.T) {
	program, err := exec.LookPath("ssh")
	if err != nil {
		t.Fatalf("the OpenSSH client is needed: %v", err)
	}
	const path = `/tmp/Ada Lovelace/100%/file`
	out, err := exec.Command(program, append(pathArguments(path, path), "-G", "server.invalid")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"identityfile " + path + "\n", "userknownhostsfile " + path + "\n"} {
		if !strings.Contains(strings.ReplaceAll(string(out), "%%", "%"), want) {
			t.Errorf("OpenSSH does not read %q:\n%s", want, out)
		}
	}
}
