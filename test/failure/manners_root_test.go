//go:build linux && root

package failure

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/test/program"
)

// daemonStatus is the part of aloft local status --json about manners.
type daemonStatus struct{ Manners manners.Settings }

func TestRealMannersSurviveTheDaemon(t *testing.T) {
	c := program.Start(t)
	want := func(settings manners.Settings) {
		t.Helper()
		var status daemonStatus
		if err := json.Unmarshal([]byte(c.Must(t, "local", "status", "--json")), &status); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(settings, status.Manners); diff != "" {
			t.Errorf("manners (-want +got):\n%s", diff)
		}
	}
	want(manners.Default())
	c.Must(t, "local", "manners", "consistency,limits", "--seed", "7", "--time-scale", "0.1")
	chosen := manners.Settings{
		Manners: []manners.Manner{manners.Consistency, manners.Limits}, Seed: 7, TimeScale: 0.1,
	}
	want(chosen)
	c.Must(t, "local", "restart")
	want(chosen)
	var daemon struct{ PID int }
	running := c.Must(t, "local", "start", "--address", program.LocalAddress, "--json")
	if err := json.Unmarshal([]byte(running), &daemon); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(daemon.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for code := 0; code == 0; { // until the process is gone
		_, _, code = c.Run(t, "local", "status")
	}
	_, story, code := c.Run(t, "local", "start", "--address", program.LocalAddress)
	if code != 0 || !strings.Contains(story, "consistency, limits (seed 7, time scale 0.1)") {
		t.Errorf("the start after a kill does not mention the manners:\n%s", story)
	}
	want(chosen)
	c.Must(t, "local", "start", "--address", program.LocalAddress, "--manners", "kind")
	chosen.Manners = []manners.Manner{}
	want(chosen)
}
