//go:build linux

package program

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Checkout is a folder like a checkout after make build, in which a reader types the
// commands of a page. Its bin/aloft uses the test's own local cloud.
type Checkout struct {
	Dir  string
	home string
}

// NewCheckout returns a checkout for a local cloud.
func NewCheckout(t *testing.T, c *LocalCloud) Checkout {
	t.Helper()
	k := Checkout{Dir: t.TempDir(), home: c.Home}
	Exec(t, "cp", "-r", "../../examples", k.Dir)
	aloft := fmt.Sprintf(`#!/bin/sh
case "$1 $2" in "local start") set -- "$@" --address %s ;; esac
case "$1" in ssh) exec %s --state-dir %s "$@" ;; esac
exec %s "$@" --state-dir %s
`, LocalAddress, c.Binary, c.State, c.Binary, c.State)
	for path, text := range map[string]string{
		"bin/aloft": aloft,
		"path/sudo": "#!/bin/sh\nexec \"$@\"\n", // the test is root, and a host may have no sudo
	} {
		Write(t, filepath.Join(k.Dir, path), text)
		if err := os.Chmod(filepath.Join(k.Dir, path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

// Type runs a command in the checkout, and returns what it prints. Variables that commands
// set with eval last, as in a reader's shell.
func (k Checkout) Type(t *testing.T, command string) (string, error) {
	t.Helper()
	const script = `cd "$1"; touch variables; . ./variables; eval "$2"; code=$?; export -p >variables; exit $code`
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script, "bash", k.Dir, command)
	cmd.Env = append(os.Environ(), "HOME="+k.home, "XDG_DATA_HOME=", "SUDO_USER=",
		"XDG_CACHE_HOME="+filepath.Join(os.TempDir(), "aloft-tests"),
		"PATH="+filepath.Join(k.Dir, "path")+":"+os.Getenv("PATH"), "AWS_PAGER=", "TMPDIR="+k.Dir)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

var consoleBlock = regexp.MustCompile("(?ms)^```console\n(.*?)^```$")

// CommandsOf returns the commands in a page's console blocks: the lines that begin with "$ ".
func CommandsOf(page string) []string {
	var commands []string
	for _, block := range consoleBlock.FindAllStringSubmatch(page, -1) {
		for line := range strings.Lines(block[1]) {
			if command, ok := strings.CutPrefix(strings.TrimSpace(line), "$ "); ok {
				commands = append(commands, command)
			}
		}
	}
	return commands
}
