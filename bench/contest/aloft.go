//go:build linux

package contest

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

// StartAloft starts the balancer process as the local cloud does, with the settings of
// a new load balancer. The program is bin/aloft.
func StartAloft(ctx context.Context, s Settings) (*Proxy, error) {
	binary, err := filepath.Abs("bin/aloft")
	if err != nil {
		return nil, err
	}
	client := &balancer.Client{
		Dir:     filepath.Join(s.Dir, "aloft"),
		Command: []string{binary, "part", "balancer"},
		Env:     os.Environ(),
		Log:     slog.New(slog.DiscardHandler),
	}
	p := &Proxy{
		Name: "aloft", Address: fmt.Sprintf("127.0.1.1:%d", s.Port),
		PIDs: func() []int { return processes(client.Dir) },
		Drain: func(ctx context.Context, backend int) error {
			config := s.aloft()
			config.TargetGroups[0].Targets[backend].Draining = true
			return client.Set(ctx, config)
		},
		Stop: func() { _ = client.Stop(context.WithoutCancel(ctx)); client.Close() },
	}
	if err := client.Start(ctx); err != nil {
		return p, err
	}
	if err := client.Set(ctx, s.aloft()); err != nil {
		return p, err
	}
	return p, p.Ready(ctx)
}

// aloft returns the settings as the balancer's configuration.
func (s Settings) aloft() balancer.Config {
	group := balancer.TargetGroup{ARN: "group", Check: balancer.HealthCheck{
		Path: checkPath, Interval: s.Interval, Timeout: s.Timeout, HealthyThreshold: s.Threshold,
		UnhealthyThreshold: s.Threshold, Matcher: balancer.Matcher{{First: 200, Last: 200}},
	}}
	local := netip.MustParseAddr("127.0.0.1")
	for i, b := range s.Backends {
		target := balancer.Target{ID: strconv.Itoa(i), Address: local, Port: uint16(b.Port)}
		group.Targets = append(group.Targets, target)
	}
	forward := balancer.Action{Forward: []balancer.Share{{TargetGroup: "group", Weight: 1}}}
	lb := balancer.LoadBalancer{
		ARN: "lb", DNSName: Host, IdleTimeout: time.Minute, KeepAlive: time.Hour,
		ForwardedFor: "append", Desync: "defensive",
		Nodes:     []balancer.Node{{ID: "node", Zone: "a", Address: netip.MustParseAddr("127.0.1.1")}},
		Listeners: []balancer.Listener{{ARN: "listener", Port: uint16(s.Port), Action: forward}},
	}
	return balancer.Config{
		LoadBalancers: []balancer.LoadBalancer{lb},
		TargetGroups:  []balancer.TargetGroup{group},
	}
}
