//go:build linux

package machine

import (
	"strings"
	"testing"
)

func TestPreflightNamesThePackageOfMmdebstrap(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	problem := checkMmdebstrap("")
	if problem == nil || !strings.Contains(problem.What, "mmdebstrap") ||
		!strings.Contains(problem.Remedy, "apt-get install mmdebstrap") {
		t.Errorf("got %+v", problem)
	}
}
