package remote

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// begun returns begin.sh with its process group file in a folder of the test.
func begun(dir, script string) string {
	return strings.ReplaceAll(begin, "group=/run/", "group="+dir+"/") + script
}

func TestRunStopsWhatAnEarlierRunLeft(t *testing.T) {
	dir := t.TempDir()
	first := exec.Command("setsid", "-w", "sh", "-euc", begun(dir, "echo begun; sleep 60 & wait"))
	out, err := first.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- first.Wait() }()
	second, err := exec.Command("setsid", "-w", "sh", "-euc", begun(dir, "echo mine")).CombinedOutput()
	if err != nil || !strings.Contains(string(second), "stopping it") || !strings.HasSuffix(string(second), "mine\n") {
		t.Errorf("%v\n%s", err, second)
	}
	if err := <-ended; err == nil {
		t.Error("the first run came to its end")
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestStopReachesTheWholeProcessGroup(t *testing.T) {
	dir := t.TempDir()
	run := exec.Command("setsid", "-w", "sh", "-euc", begun(dir, "echo begun; sleep 60; echo not reached"))
	out, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	note := filepath.Join(dir, "aloft-release.group")
	if out, err := exec.Command(
		"sh", "-c", strings.ReplaceAll(stopGroup, "/run/aloft-release.group", note),
	).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if err := run.Wait(); err == nil {
		t.Error("it ran on")
	}
}

func TestLinesHaveNoControlSequences(t *testing.T) {
	for raw, want := range map[string]string{
		"\x1b[31mred\x1b[0m": "red", "10%\r100%": "100%", "\u202egnp.exe": "gnp.exe", "a\tb": "a\tb",
		"bad \x9b byte": "bad \ufffd byte", "\x1b[2J": "", "\u009b": "",
	} {
		got := ""
		l := &lineWriter{mu: new(sync.Mutex), line: func(line string) { got = line }}
		_, _ = l.Write([]byte(raw + "\n"))
		if got != want {
			t.Errorf("%q is shown as %q", raw, got)
		}
	}
}
