//go:build linux && root

package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

func TestRealProcessHasNoPrivileges(t *testing.T) {
	c := newClient(t, processDir(t))
	c.Logs = t.TempDir()
	if err := c.Set(t.Context(), balancertest.OneGroup(balancertest.FreePort(t), 1)); err != nil {
		t.Fatal(err)
	}
	proc := fmt.Sprintf("/proc/%d", about(t, c).PID)
	threads, err := filepath.Glob(proc + "/task/*/status")
	if err != nil || len(threads) == 0 {
		t.Fatalf("%d threads, %v", len(threads), err)
	}
	id := fmt.Sprint(workerID)
	for _, path := range threads {
		status := read(t, path)
		for _, want := range []string{
			"Uid:\t" + strings.Join([]string{id, id, id, id}, "\t"),
			"Gid:\t" + strings.Join([]string{id, id, id, id}, "\t"),
			"Groups:\t \n", "CapInh:\t0000000000000000", "CapPrm:\t0000000000000000",
			"CapEff:\t0000000000000000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2",
		} {
			if !strings.Contains(status, want) {
				t.Errorf("%s does not have %q:\n%s", path, want, status)
			}
		}
	}
	var files []string
	err = filepath.WalkDir(proc+"/root/", func(path string, _ os.DirEntry, err error) error {
		files = append(files, strings.TrimPrefix(path, proc+"/root"))
		return err
	})
	if last := files[len(files)-1]; err != nil || last != c.Logs || len(files) != 1+strings.Count(c.Logs, "/") {
		t.Errorf("it sees the files %q, %v", files, err)
	}
	if mounts := read(t, proc+"/mounts"); strings.Count(mounts, "\n") != 2 {
		t.Errorf("it has the mounts\n%s", mounts)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
