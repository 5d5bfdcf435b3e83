//go:build linux

package route

import (
	"fmt"
	"net/netip"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
	"aloft.dev/aloft/internal/cloud/plane/balancer/health"
	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

var forward = balancertest.Forward

// clientAddr is the address of the tests' clients.
var clientAddr = netip.MustParseAddr("192.0.2.9")

// request returns a request; fields are names and values in turn.
func request(method, host, path, query string, fields ...string) *http1.Request {
	r := &http1.Request{Method: []byte(method), Host: []byte(host), Path: []byte(path)}
	if query != "" {
		r.Query = []byte(query)
	}
	for i := 0; i < len(fields); i += 2 {
		r.Fields = append(r.Fields, http1.Field{Name: []byte(fields[i]), Value: []byte(fields[i+1])})
	}
	return r
}

// poolOf returns a pool of n healthy members in zone a, with IDs from 0 on.
func poolOf(group *balancer.TargetGroup, n int) *Pool { return NewPool(group, "a", membersOf(n), nil) }

func membersOf(n int) []*Member {
	var out []*Member
	for i := range n {
		out = append(out, newMember(fmt.Sprint(i), "a"))
	}
	return out
}

func newMember(id, zone string) *Member {
	m := &Member{
		Target:  balancer.Target{ID: id, Port: 80, Zone: zone},
		Checker: health.New(nil, balancer.HealthCheck{}, func() {}),
	}
	setHealth(m, health.Healthy)
	return m
}

// setHealth sets the health of a member as its checker would.
func setHealth(m *Member, h balancer.Health) {
	m.Checker.Resume(health.Verdict{Health: h, Since: time.Now()})
}

// rulesOf compiles the rules of a listener that forwards to the pools.
func rulesOf(l *balancer.Listener, pools ...*Pool) *Rules {
	rules := Compile(&balancer.LoadBalancer{CookieKey: "key"}, l, func(arn string) *Pool {
		for _, p := range pools {
			if p.group.ARN == arn {
				return p
			}
		}
		return nil
	})
	return &rules
}

// forwardTo compiles a default action that forwards to the pool.
func forwardTo(p *Pool) *Action {
	return rulesOf(&balancer.Listener{Action: forward(p.group.ARN)}, p).fallback
}

// unhealthy is the health of a target whose checks fail.
var unhealthy = health.TimedOut
