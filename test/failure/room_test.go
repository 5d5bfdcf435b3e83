//go:build linux

package failure

import (
	"context"
	"net/http"
	"testing"

	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/test/simulation"
)

// A run that is killed after a server fell back to another type leaves a server that the
// next run accepts, although the preferred type has room by then.
func TestUpThatFallsBackConvergesAfterKill(t *testing.T) {
	t.Parallel()
	s := simulation.Tutorial(t)
	s.Machines.Types, s.Machines.Fallback = spec.InstanceTypes{"t3.micro", "t3.small"}, spec.FallbackZone
	scarce := func(zone, instanceType string) ec2.Capacity {
		switch zone + " " + instanceType {
		case "us-east-1a t3.micro", "us-east-1b t3.micro", "us-east-1b t3.small":
			return ec2.Insufficient
		}
		return ec2.Sufficient
	}
	simulation.KillAtEveryChange(t, 40, func(t *testing.T, n int) string {
		c, b, keys := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}, t.TempDir()
		c.Capacity.Store(&scarce)
		fatal := simulation.KillAtChange(
			t, n, func(ctx context.Context, around func(http.RoundTripper) http.RoundTripper) error {
				return simulation.RunUp(ctx, simulation.Deployment(t, c.Client(t, around), s, b, keys))
			},
		)
		c.Capacity.Store(nil)
		simulation.Converges(t, c, simulation.Deployment(t, c.Client(t, nil), s, b, keys))
		return fatal
	})
}
