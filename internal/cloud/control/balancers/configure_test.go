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

func TestTheBalancerIsToldWhatIsWanted(t *testing.T) {
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
		TargetGroups: []balancer.TargetGroup{{ // not the idle one, and not the target in zone c
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
	if diff := cmp.Diff(want, configure(s.View(), namespace, "/logs"), addresses); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTheBalancerIsToldRulesAndAttributes(t *testing.T) {
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
	c := configure(s.View(), namespace, "/logs")
	lb := c.LoadBalancers[0]
	if lb.KeepAlive != 10*time.Minute || lb.Desync != "strictest" || !lb.PreserveHost || lb.CookieKey != "secret" {
		t.Errorf("%+v", lb)
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
					{
						Field:  "http-header",
						Header: "X-A",
						Values: []string{"a*"},
					}, {Field: "query-string", Pairs: []balancer.Pair{{Key: "k", Value: "v"}}},
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
	if g := groups["tg"]; !g.ZoneOnly || g.SlowStart != 90*time.Second || g.Failover != (balancer.Minimum{Count: 2}) ||
		g.FailOpen != (balancer.Minimum{Count: 1, Percent: 30}) ||
		g.Sticky != nil {
		t.Errorf("%+v", g)
	}
	if g := groups["idle"]; g.Sticky == nil ||
		*g.Sticky != (balancer.Stickiness{Cookie: "SID", For: 10 * time.Second}) ||
		len(g.Targets) != 1 {
		t.Errorf("a group that only a rule uses: %+v", g)
	}
}

func TestALoadBalancersOwnAddressIsNoTarget(t *testing.T) {
	s := newStore(t)
	change(t, s, seed)
	change(t, s, func(tx *store.Tx) {
		store.TargetGroups.Edit(tx, "tg", func(g *store.TargetGroup) { g.VPCID, g.TargetType = "vpc", "ip" })
		store.NetworkInterfaces.Edit(
			tx, "eni-lb-a", func(n *store.NetworkInterface) { n.VPCID, n.LoadBalancerARN = "vpc", "lb" },
		)
		for _, address := range []string{"10.0.0.4", "10.0.0.5"} {
			store.Targets.Put(tx, target("tg", address, "a"))
		}
		observe(tx, newObserved(balancer.Status{}), time.Now()).write(tx)
	})
	if got := row(s.View(), "10.0.0.4"); got != "unused Target.IpUnusable" {
		t.Error(got)
	}
	if got := row(s.View(), "10.0.0.5"); got != "initial Elb.RegistrationInProgress" {
		t.Error(got)
	}
}

func TestATargetsStateFollowsFromItsInstanceAndItsHealth(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	key := balancer.TargetKey{TargetGroup: "tg", ID: "i-a", Port: 3000}
	instance := func(state string) func(*store.Tx) {
		return func(tx *store.Tx) {
			store.Instances.Edit(tx, "i-a", func(i *store.Instance) { i.State = state })
		}
	}
	drainingSince := func(ago time.Duration) func(*store.Tx) {
		return func(tx *store.Tx) {
			store.Targets.Edit(tx, "tg|i-a|3000", func(t *store.Target) { t.DeregisteredAt = now.Add(-ago) })
		}
	}
	for _, c := range []struct {
		name   string
		change func(*store.Tx)
		health balancer.Health
		want   string
		serves bool
	}{
		{"checked and well", nil, balancer.Health{State: "healthy"}, "healthy ", true},
		{
			"checked and ill", nil, balancer.Health{State: "unhealthy", Reason: "Target.Timeout"},
			"unhealthy Target.Timeout", true,
		},
		{"not checked yet", nil, balancer.Health{}, "initial Elb.RegistrationInProgress", true},
		{"stopped", instance(store.Stopped), balancer.Health{State: "healthy"}, "unused Target.InvalidState", false},
		{"stopping", instance(store.Stopping), balancer.Health{State: "healthy"}, "unused Target.InvalidState", false},
		{"starting again", instance(store.Pending), balancer.Health{}, "initial Elb.RegistrationInProgress", false},
		{
			"shutting down", instance(store.ShuttingDown), balancer.Health{State: "healthy"},
			"draining Target.DeregistrationInProgress", true,
		},
		{
			"terminated", instance(store.Terminated), balancer.Health{State: "healthy"},
			"draining Target.DeregistrationInProgress", false,
		},
		{
			"instance forgotten", func(tx *store.Tx) { store.Instances.Delete(tx, "i-a") }, balancer.Health{}, "none",
			false,
		},
		{
			"draining", drainingSince(299 * time.Second), balancer.Health{State: "healthy"},
			"draining Target.DeregistrationInProgress", true,
		},
		{"drained", drainingSince(300 * time.Second), balancer.Health{}, "none", true},
		{
			"group no longer used", func(tx *store.Tx) { store.Listeners.Delete(tx, "l") },
			balancer.Health{State: "healthy"}, "unused Target.NotInUse", false,
		},
		{"zone not enabled", func(tx *store.Tx) {
			store.LoadBalancers.Edit(tx, "lb", func(lb *store.LoadBalancer) { lb.Nodes = lb.Nodes[1:] })
		}, balancer.Health{State: "healthy"}, "unused Target.NotInUse", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(t)
			change(t, s, seed)
			if c.change != nil {
				change(t, s, c.change)
			}
			seen := newObserved(balancer.Status{})
			if c.health.State != "" {
				seen.targets[key] = c.health
			}
			serves := false
			for _, g := range configure(s.View(), namespace, "/logs").TargetGroups {
				for _, target := range g.Targets {
					serves = serves || target.ID == "i-a"
				}
			}
			if serves != c.serves {
				t.Errorf("known to the balancer: %v", serves)
			}
			change(t, s, func(tx *store.Tx) { observe(tx, seen, now).write(tx) })
			if got := row(s.View(), "i-a"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if again := observe(s.View(), seen, now); !again.empty() {
				t.Errorf("not settled: %+v", again)
			}
		})
	}
}

func TestALoadBalancerIsActiveWhenAllItsNodesWork(t *testing.T) {
	s := newStore(t)
	change(t, s, seed)
	lb, _ := store.LoadBalancers.Get(s.View(), "lb")
	ok := func(id string) balancer.NodeStatus { return balancer.NodeStatus{LoadBalancer: "lb", ID: id} }
	broken := balancer.NodeStatus{LoadBalancer: "lb", ID: "eni-lb-b", Error: "no such file"}
	for _, c := range []struct {
		name          string
		before        string
		status        balancer.Status
		state, reason string
	}{
		{"nothing heard", "provisioning", balancer.Status{}, "provisioning", ""},
		{"one node", "provisioning", balancer.Status{Nodes: []balancer.NodeStatus{ok("eni-lb-a")}}, "provisioning", ""},
		{
			"one broken", "provisioning", balancer.Status{Nodes: []balancer.NodeStatus{ok("eni-lb-a"), broken}},
			"provisioning", "node in b: no such file",
		},
		{
			"both", "provisioning", balancer.Status{Nodes: []balancer.NodeStatus{ok("eni-lb-a"), ok("eni-lb-b")}},
			"active", "",
		},
		{
			"one breaks later", "active", balancer.Status{Nodes: []balancer.NodeStatus{ok("eni-lb-a"), broken}},
			"active", "node in b: no such file",
		},
		{"the host's port is taken", "active", balancer.Status{
			Nodes:  []balancer.NodeStatus{ok("eni-lb-a"), ok("eni-lb-b")},
			Fronts: []balancer.FrontStatus{{Port: 80, Error: "in use"}, {Port: 81, Error: "of another"}},
		}, "active", "port 80 cannot be reached on this host: in use"},
	} {
		row := *lb
		row.State = c.before
		if state, reason := condition(s.View(), &row, newObserved(c.status)); state != c.state || reason != c.reason {
			t.Errorf("%s: got %q %q", c.name, state, reason)
		}
	}
}

func TestAccessLogsGoToTheBucketsFolder(t *testing.T) {
	for _, c := range []struct{ enabled, bucket, prefix, want string }{
		{"false", "b", "", ""},
		{"true", "b", "", "/logs/b"},
		{"true", "b", "team/web", "/logs/b/team/web"},
		{"true", "..", "../../etc", "/logs/etc"},
	} {
		row := &store.LoadBalancer{
			Attributes: map[string]string{
				"access_logs.s3.enabled": c.enabled,
				"access_logs.s3.bucket":  c.bucket,
				"access_logs.s3.prefix":  c.prefix,
			},
		}
		if got := logDir("/logs", row); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
