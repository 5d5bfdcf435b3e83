//go:build !linux

package cli

import (
	"bytes"
	"strings"
	"testing"
)

// TestCommandsThatNeedLinuxNameTheAlternatives runs on the systems that have no local
// cloud.
func TestCommandsThatNeedLinuxNameTheAlternatives(t *testing.T) {
	for _, line := range []string{
		"local start", "local stop", "local reset --yes", "local logs", "local restart", "local status",
		"local status --json", "local env", "local manners", "local trust",
		"local image import a b", "local image list", "local image remove a", "down --app shop",
	} {
		var stdout, stderr bytes.Buffer
		code := Main(strings.Fields(line), "v0", Stdio{In: &bytes.Buffer{}, Out: &stdout, Err: &stderr})
		printed := stderr.String() + stdout.String()
		if code != ExitError || !strings.Contains(printed, "runs on Linux only") ||
			!strings.Contains(printed, "--on aws") {
			t.Errorf("aloft %s: exit code %d, printed %q", line, code, printed)
		}
		if asJSON := strings.HasSuffix(line, "--json"); asJSON != (stderr.Len() == 0) {
			t.Errorf("aloft %s: standard error is %q", line, stderr.String())
		}
	}
}
