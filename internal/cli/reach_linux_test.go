package cli

import (
	"context"
	"net/netip"
	"slices"
	"testing"
)

// reachOf returns the flags of a command line.
func reachOf(t *testing.T, args ...string) *reachFlags {
	t.Helper()
	var reach reachFlags
	c := newLocalStartCommand(&global{}, func(_ context.Context, o *localStartOptions) error {
		reach = o.start.reach
		return nil
	})
	c.SetArgs(append([]string{}, args...)) // nil would be those of the test
	if err := c.Execute(); err != nil {
		t.Fatal(err)
	}
	return &reach
}

func TestDaemonGetsWhatMachinesMayReach(t *testing.T) {
	for _, args := range [][]string{
		nil,
		{"--allow-private", "10.1.2.3/16", "--allow-private=192.168.7.20,172.16.0.0/12", "--allow-proxy"},
		{"--allow-private=", "--allow-proxy=false"},
	} {
		given := reachOf(t, args...)
		// The daemon is started with the arguments.
		change, err := reachOf(t, given.arguments()...).change()
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case len(args) == 0:
			if change.Private != nil || change.LoopbackProxy != nil {
				t.Errorf("without flags: got %+v", change)
			}
		case len(args) == 2:
			none := change.Private != nil && len(*change.Private) == 0
			if !none || change.LoopbackProxy == nil || *change.LoopbackProxy {
				t.Errorf("%v: got %+v", args, change)
			}
		default:
			want := []netip.Prefix{
				netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("192.168.7.20/32"),
				netip.MustParsePrefix("172.16.0.0/12"),
			}
			if change.Private == nil || !slices.Equal(*change.Private, want) || !*change.LoopbackProxy {
				t.Errorf("%v: got %+v", args, change)
			}
		}
	}
	for _, wrong := range []string{"lan", "10.0.0.0/40", "fd00::/8"} {
		_, err := reachOf(t, "--allow-private", wrong).change()
		wantProblem(t, err, "--allow-private", wrong, "for example")
	}
}
