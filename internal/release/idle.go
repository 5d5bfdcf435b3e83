package release

import (
	"context"
	"fmt"

	"aloft.dev/aloft/internal/remote"
)

const (
	// idleChecks and idleInterval are how often, and how many seconds apart, a server must be
	// found idle. Load balancers learn within seconds that a target was deregistered; until
	// then, requests arrive as before.
	idleChecks   = 8
	idleInterval = "0.5"
)

// AwaitIdle waits until no other machine has been connected to a port of the machine for
// four seconds, so that it has no requests in flight and gets none. Connections to other
// ports prolong the wait. Only a context ends it on a machine that never becomes idle.
func AwaitIdle(ctx context.Context, t remote.Target, port int) error {
	m, err := remote.Dial(ctx, t)
	if err != nil {
		return err
	}
	defer func() { _ = m.Close() }()
	return m.Run(ctx, idleScript("/proc/net", port), remote.Text(""), func(string) {})
}

// idleScript returns the script that waits, with the folder of the kernel's tables.
func idleScript(net string, port int) string {
	return fmt.Sprintf("net=%s\nport=%d\nchecks=%d\ninterval=%s\n%s",
		remote.Quote(net), port, idleChecks, idleInterval, join("idle"))
}
