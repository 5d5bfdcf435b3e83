//go:build linux && root

package machine_test

import (
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/machine"
)

func TestRealPreflightAcceptsThisHost(t *testing.T) {
	for _, problem := range machine.Preflight("/var/lib/aloft/does/not/exist") {
		t.Errorf("%s %s", problem.What, problem.Remedy)
	}
	problems := machine.Preflight("/proc/self")
	if len(problems) != 1 || !strings.Contains(problems[0].What, "/proc/self") {
		t.Errorf("disks on procfs: got %v, want one problem", problems)
	}
}
