//go:build linux

package host

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestListenProblemsHaveACauseAndARemedy(t *testing.T) {
	for summary, cause := range map[string]error{
		"another program listens there": syscall.EADDRINUSE,
		"permission denied":             os.ErrPermission,
	} {
		d := ListenProblem("127.0.0.1:80", fmt.Errorf("listen tcp: %w", cause))
		if !strings.Contains(d.Error(), summary) || !strings.Contains(d.Hint, "--address 127.0.0.1:4600") {
			t.Errorf("%v: got %q with hint %q", cause, d.Error(), d.Hint)
		}
	}
}
