//go:build linux

package balancers

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

func namespace(id string) string { return "/ns/" + id }

var addresses = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

func TestConfigForLoadBalancersAndTargetGroups(t *testing.T) {
	s := newStore(t)
	change(t, s, seed)
	want := balancer.Config{
		LoadBalancers: []balancer.LoadBalancer{{
			ARN: "lb", DNSName: "web-1.r.elb.localhost", IdleTimeout: time.Minute, ForwardedFor: "append",
			CookieKey: "lb",
			Nodes: []balancer.Node{
				{
					ID:        "eni-lb-a",
					Zone:      "a",
					Namespace: "/ns/eni-lb-a",
					Address:   netip.MustParseAddr("10.0.0.4"),
					Public:    netip.MustParseAddr("198.18.1.0"),
				},
				{
					ID:        "eni-lb-b",
					Zone:      "b",
					Namespace: "/ns/eni-lb-b",
					Address:   netip.MustParseAddr("10.0.1.4"),
					Public:    netip.MustParseAddr("198.18.1.1"),
				},
			},
			Listeners: []balancer.Listener{
				{
					ARN:    "l",
					Port:   80,
					Action: balancer.Action{Forward: []balancer.Share{{TargetGroup: "tg", Weight: 1}}},
				},
			},
		}},
		TargetGroups: []balancer.TargetGroup{{ // without the idle one, and without the target in zone c
			ARN: "tg",
			Check: balancer.HealthCheck{
				Path: "/", Interval: 30 * time.Second, Timeout: 5 * time.Second, HealthyThreshold: 5,
				UnhealthyThreshold: 2,
				Matcher:            balancer.Matcher{{First: 200, Last: 299}, {First: 403, Last: 403}},
			},
			Targets: []balancer.Target{
				{ID: "i-a", Address: netip.MustParseAddr("10.0.0.10"), Port: 3000, Zone: "a"},
				{ID: "i-b", Address: netip.MustParseAddr("10.0.1.10"), Port: 3000, Zone: "b"},
			},
		}},
	}
	if diff := cmp.Diff(want, configFor(s.View(), namespace, "/logs", time.Now()), addresses); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestDualstackNodesAndTargetsHaveIPv6Addresses(t *testing.T) {
	s := newStore(t)
	change(t, s, seed)
	six := func(text string) []netip.Addr { return []netip.Addr{netip.MustParseAddr(text)} }
	change(t, s, func(tx *store.Tx) {
		store.TargetGroups.Edit(tx, "tg", func(g *store.TargetGroup) { g.IPAddressType, g.VPCID = "ipv6", "v" })
		store.Targets.Put(tx, target("tg", "2001:db8::4", "a"))
		store.Subnets.Put(tx, &store.Subnet{ID: "subnet-v", Region: "r", VPCID: "v"})
		for id, address := range map[string]string{
			"eni-lb-a": "2001:db8::4", "eni-i-a": "2001:db8::a", "eni-i-b": "2001:db8::b",
		} {
			store.NetworkInterfaces.Edit(tx, id, func(row *store.NetworkInterface) {
				row.IPv6, row.PrimaryIPv6 = six(address), id == "eni-i-a"
				if id == "eni-lb-a" {
					row.LoadBalancerARN, row.VPCID, row.SubnetID = "lb", "v", "subnet-v"
				}
			})
		}
	})
	c := configFor(s.View(), namespace, "/logs", time.Now())
	if got := c.LoadBalancers[0].Nodes[0].IPv6; got != six("2001:db8::4")[0] {
		t.Errorf("the node has the address %s", got)
	}
	// i-b has no primary address, and the address of a node cannot be a target.
	if got := c.TargetGroups[0].Targets; len(got) != 1 || got[0].Address != six("2001:db8::a")[0] {
		t.Errorf("the targets are %+v", got)
	}
}

func TestConfigForRulesAndAttributes(t *testing.T) {
	s := newStore(t)
	change(t, s, seed)
	change(t, s, func(tx *store.Tx) {
		store.LoadBalancers.Edit(tx, "lb", func(lb *store.LoadBalancer) {
			lb.CookieKey = "secret"
			lb.Attributes = map[string]string{
				"client_keep_alive.seconds":                 "600",
				"routing.http.desync_mitigation_mode":       "strictest",
				"routing.http.preserve_host_header.enabled": "true",
			}
		})
		store.Listeners.Edit(tx, "l", func(l *store.Listener) {
			l.Actions[0].Stickiness, l.Actions[0].StickinessSeconds = true, 60
			l.Attributes = map[string]string{
				"routing.http.response.server.enabled":                      "false",
				"routing.http.response.x_frame_options.header_value":        "DENY",
				"routing.http.response.access_control_max_age.header_value": "",
			}
		})
		store.Rules.Put(tx, &store.Rule{
			ARN:         "late",
			Region:      "r",
			ListenerARN: "l",
			Priority:    20,
			Actions: []store.Action{
				{Type: "fixed-response", FixedResponse: &store.FixedResponse{StatusCode: "404"}},
			},
		})
		store.Rules.Put(tx, &store.Rule{
			ARN: "early", Region: "r", ListenerARN: "l", Priority: 3,
			Actions: []store.Action{{Type: "forward", Forward: []store.WeightedTargetGroup{{ARN: "idle", Weight: 2}}}},
			Conditions: []store.Condition{
				{Field: "http-header", Header: "X-A", Values: []string{"a*"}},
				{Field: "query-string", Pairs: []store.QueryPair{{Key: "k", Value: "v"}}},
			},
		})
		store.TargetGroups.Edit(tx, "tg", func(g *store.TargetGroup) {
			g.Attributes = map[string]string{
				"load_balancing.algorithm.type": "round_robin", "slow_start.duration_seconds": "90",
				"load_balancing.cross_zone.enabled":                                              "false",
				"target_group_health.dns_failover.minimum_healthy_targets.count":                 "2",
				"target_group_health.dns_failover.minimum_healthy_targets.percentage":            "off",
				"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count":      "1",
				"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "30",
			}
		})
		store.TargetGroups.Edit(tx, "idle", func(g *store.TargetGroup) {
			g.Attributes = map[string]string{
				"stickiness.enabled":                     "true",
				"stickiness.type":                        "app_cookie",
				"stickiness.app_cookie.cookie_name":      "SID",
				"stickiness.app_cookie.duration_seconds": "10",
			}
		})
	})
	c := configFor(s.View(), namespace, "/logs", time.Now())
	lb := c.LoadBalancers[0]
	if lb.KeepAlive != 10*time.Minute || lb.Desync != "strictest" || !lb.PreserveHost || lb.CookieKey != "secret" {
		t.Errorf("load balancer %+v", lb)
	}
	want := balancer.Listener{
		ARN: "l", Port: 80,
		Action:   balancer.Action{Forward: []balancer.Share{{TargetGroup: "tg", Weight: 1}}, Sticky: time.Minute},
		NoServer: true, Headers: map[string]string{"X-Frame-Options": "DENY"},
		Rules: []balancer.Rule{
			{
				ARN:      "early",
				Priority: 3,
				Action:   balancer.Action{Forward: []balancer.Share{{TargetGroup: "idle", Weight: 2}}},
				Conditions: []balancer.Condition{
					{Field: "http-header", Header: "X-A", Values: []string{"a*"}},
					{Field: "query-string", Pairs: []balancer.Pair{{Key: "k", Value: "v"}}},
				},
			},
			{ARN: "late", Priority: 20, Action: balancer.Action{FixedResponse: &balancer.FixedResponse{Code: 404}}},
		},
	}
	if diff := cmp.Diff(want, lb.Listeners[0]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	groups := map[string]balancer.TargetGroup{}
	for _, g := range c.TargetGroups {
		groups[g.ARN] = g
	}
	failover, failOpen := balancer.Minimum{Count: 2}, balancer.Minimum{Count: 1, Percent: 30}
	if g := groups["tg"]; !g.ZoneOnly || g.SlowStart != 90*time.Second || g.Failover != failover ||
		g.FailOpen != failOpen || g.Sticky != nil {
		t.Errorf("target group %+v", g)
	}
	sticky := balancer.Stickiness{Cookie: "SID", For: 10 * time.Second}
	if g := groups["idle"]; g.Sticky == nil || *g.Sticky != sticky || len(g.Targets) != 1 {
		t.Errorf("target group used by a rule alone: %+v", g)
	}
}
