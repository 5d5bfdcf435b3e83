//go:build linux && root

package docs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"aloft.dev/aloft/test/program"
)

// TestRealDocs runs every command of the pages on real machines, as a reader of a
// fresh checkout would type it.
func TestRealDocs(t *testing.T) {
	c := program.Start(t)
	dir := checkout(t, c)
	done := map[string]bool{}
	for _, file := range order {
		for _, command := range readPage(t, file).commands() {
			if done[command] {
				continue
			}
			done[command] = true
			if !t.Run(command, func(t *testing.T) { runCommand(t, c, dir, command) }) {
				return
			}
		}
	}
}

// checkout returns a folder like a checkout after make build. Its bin/aloft adds
// the state folder and the address of the test's own local cloud.
func checkout(t *testing.T, c *program.LocalCloud) string {
	t.Helper()
	dir := t.TempDir()
	program.Exec(t, "cp", "-r", filepath.Join(root, "examples"), dir)
	aloft := fmt.Sprintf(`#!/bin/sh
case "$1 $2" in "local start") set -- "$@" --address %s ;; esac
case "$1" in ssh) exec %s --state-dir %s "$@" ;; esac
exec %s "$@" --state-dir %s
`, program.LocalAddress, c.Binary, c.State, c.Binary, c.State)
	for path, text := range map[string]string{
		"bin/aloft": aloft,
		"path/sudo": "#!/bin/sh\nexec \"$@\"\n", // the test is root, and a host may have no sudo
	} {
		program.Write(t, filepath.Join(dir, path), text)
		if err := os.Chmod(filepath.Join(dir, path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// runCommand runs one command of a page in the checkout. Variables that a page
// sets with eval last for the rest of the pages, as in a reader's shell.
func runCommand(t *testing.T, c *program.LocalCloud, dir, command string) {
	t.Helper()
	const script = `cd "$1"; touch variables; . ./variables; eval "$2"; code=$?; export -p >variables; exit $code`
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script, "bash", dir, command)
	cmd.Env = append(os.Environ(), "HOME="+c.Home, "XDG_DATA_HOME=", "SUDO_USER=",
		"PATH="+filepath.Join(dir, "path")+":"+os.Getenv("PATH"), "AWS_PAGER=", "TMPDIR="+dir)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
}
