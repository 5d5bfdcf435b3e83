package verify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"aloft.dev/aloft/internal/awsapi"
)

// resolveLimit is how long a load balancer's name may take to resolve. It is published
// after the load balancer is active, and a resolver that was asked before remembers for
// a minute that there is no such name (RFC 2308; the minimum of amazonaws.com's zones).
const resolveLimit = 3 * time.Minute

// waitForName waits until the name of the load balancer resolves. Where a proxy is
// configured, the proxy resolves it.
func (v Verifier) waitForName(ctx context.Context, f Facts) error {
	if isLocalhost(f.DNSName) || f.proxy() != "" {
		return nil
	}
	told := false
	what := f.DNSName + " to resolve"
	return awsapi.Wait(ctx, resolveLimit, what, func(ctx context.Context) (bool, error) {
		_, err := v.Resolve(ctx, f.DNSName)
		var problem *net.DNSError
		if err == nil || !errors.As(err, &problem) || !problem.IsNotFound && !problem.Temporary() {
			return err == nil, err
		}
		if !told {
			told = true
			v.Waiting(fmt.Sprintf("waiting for up to %s until %s resolves: a new name takes a while to be known",
				resolveLimit, f.DNSName))
		}
		return false, nil
	})
}
