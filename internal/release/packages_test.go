package release

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// aptMachine returns a folder of programs as on a fresh Debian, where other programs hold
// the lock of the lists for two calls and that of dpkg for one. failure is printed by
// apt-get install, which then fails, unless it is "".
func aptMachine(t *testing.T, failure string) string {
	t.Helper()
	dir := t.TempDir()
	for _, tool := range []string{
		"sh", "cat", "tee", "tail", "grep", "awk", "xargs", "rm", "sync", "touch", "chmod", "python3",
	} {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(dir, tool)); err != nil {
			t.Fatal(err)
		}
	}
	install := `touch ` + dir + `/installed`
	if failure != "" {
		install = fmt.Sprintf("echo '%s' >&2; exit 100", failure)
	}
	for name, script := range map[string]string{
		"apt-get": `case "$*" in
*update*)
	[ -e ` + dir + `/second ] && exit 0
	[ -e ` + dir + `/first ] && touch ` + dir + `/second
	touch ` + dir + `/first
	echo "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)" >&2
	exit 100 ;;
*clean*) ;;
*install*) ` + install + ` ;;
esac`,
		"dpkg-query": `[ -e ` + dir + `/installed ] && echo "ii "`,
		"dpkg": `[ -e ` + dir + `/configured ] && exit 0
touch ` + dir + `/configured
echo "dpkg: error: dpkg frontend lock was locked by another process with pid 7" >&2
exit 2`,
		"sleep": "echo slept >>" + dir + "/sleeps",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// installPackages runs the recipe's packages.sh on a machine, and returns its output and
// how often it slept.
func installPackages(t *testing.T, dir string) (output string, sleeps int, err error) {
	t.Helper()
	script := strings.NewReplacer("/run/", dir+"/", "/var/log/", dir+"/").Replace(readScript("packages.sh"))
	cmd := exec.Command(filepath.Join(dir, "sh"), "-euc", "exec 2>&1\npackages='git python3-venv'\n"+script)
	cmd.Env = []string{"PATH=" + dir}
	out, err := cmd.Output()
	slept, _ := os.ReadFile(filepath.Join(dir, "sleeps"))
	return string(out), strings.Count(string(slept), "slept"), err
}

func TestPackagesWaitForAptsLocks(t *testing.T) {
	dir := aptMachine(t, "")
	output, sleeps, err := installPackages(t, dir)
	if err != nil || sleeps != 3 ||
		!strings.Contains(output, "another program on this machine is installing packages") ||
		!strings.Contains(output, "installed: git python3-venv") {
		t.Errorf("%v, slept %d times, want 3:\n%s", err, sleeps, output)
	}
	if output, _, err := installPackages(t, dir); err != nil || output != "already there: git python3-venv\n" {
		t.Errorf("the second time: %v\n%s", err, output)
	}
}

func TestOtherFailuresOfAptEndTheInstallation(t *testing.T) {
	output, sleeps, err := installPackages(t, aptMachine(t, "E: Unable to locate package nodejs"))
	if err == nil || sleeps != 3 || !strings.Contains(output, "Unable to locate package") {
		t.Errorf("%v, slept %d times, want 3:\n%s", err, sleeps, output)
	}
}
