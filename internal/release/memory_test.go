package release

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/remote/remotetest"
)

func TestABuildWithoutEnoughMemorySaysWhatToDo(t *testing.T) {
	for line, starved := range map[string]bool{
		"out of memory: the kernel ended a program of this command":                         true,
		"FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory": true,
		"cc1plus: virtual memory exhausted: Cannot allocate memory":                         true,
		"Error: Cannot find module 'out of memory: a book'":                                 false,
	} {
		b := folder(t)
		b.Source.Project.Install = []string{"npm ci"}
		s := remotetest.Serve(t, remotetest.Listen(t), func(c remotetest.Command) int {
			if answers(c) {
				return 0
			}
			_, _ = io.Copy(io.Discard, c.Input)
			if !strings.Contains(c.Text, "npm ci") {
				return 0
			}
			_, _ = fmt.Fprintln(c.Output, line+strings.Repeat("\n at a native frame", 2*tailLines))
			return 134
		})
		d := problem(t, b.Build(t.Context(), s.Target(), (&story{}).sink))
		if strings.Contains(d.Hint, "machines: {builder: ") != starved {
			t.Errorf("%s: %s", line, d.Hint)
		}
	}
}

// runCommand runs command.sh on a machine whose kernel counts 3 killed processes at first,
// and now at the end of the command.
func runCommand(t *testing.T, command string, now int) (output string, err error) {
	t.Helper()
	dir := t.TempDir()
	count := filepath.Join(dir, "vmstat")
	for name, script := range map[string]string{
		"install": "exit 0",
		"runuser": `while [ "$1" != sh ]; do shift; done; exec "$@"`,
		"awk":     `cat ` + count, // the only awk of the script
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(count, []byte("3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	script := "user=u\nmanager=npm\npath=/bin\nfolder=" + dir + "\n" +
		fmt.Sprintf("command='echo %d >%s; %s'\n", now, count, command) + readScript("command.sh")
	run := exec.Command("sh", "-euc", script)
	run.Env = []string{"PATH=" + dir + ":/usr/bin:/bin"}
	out, err := run.CombinedOutput()
	return string(out), err
}

func TestACommandNamesAKillByTheKernel(t *testing.T) {
	for name, test := range map[string]struct {
		command string
		now     int
		said    bool
	}{
		"killed":              {"exit 1", 4, true},
		"failed":              {"exit 1", 3, false},
		"worked all the same": {"exit 0", 4, false},
	} {
		output, err := runCommand(t, test.command, test.now)
		if saysOutOfMemory(strings.TrimSpace(output)) != test.said || (err == nil) != (test.command == "exit 0") {
			t.Errorf("%s: %v, %q", name, err, output)
		}
	}
}
