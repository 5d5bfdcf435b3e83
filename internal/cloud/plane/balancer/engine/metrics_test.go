//go:build linux

package engine

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
	"aloft.dev/aloft/internal/cloud/plane/balancer/route"
)

// targetByPath starts a target that responds as the path says: to /CODE with that
// status, to /slow after 20 ms, to /drop not at all.
func targetByPath(t *testing.T) balancer.Target {
	return rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		for {
			head := readHead(in)
			if head == "" || strings.Contains(head, " /drop ") {
				return
			}
			code := 200
			_, path, _ := strings.Cut(head, " /")
			_, _ = fmt.Sscanf(path, "%d", &code)
			if strings.Contains(head, " /slow ") {
				time.Sleep(20 * time.Millisecond)
			}
			if _, err := fmt.Fprintf(out, "HTTP/1.1 %d Any\r\nContent-Length: 2\r\n\r\nhi", code); err != nil {
				return
			}
		}
	})
}

// waitCounters waits for counters for which ok returns true: a request is counted after
// its response.
func waitCounters(t *testing.T, e *Engine, what string, ok func(balancer.Counters) bool) balancer.Counters {
	t.Helper()
	var c balancer.Counters
	waitFor(t, what, func() bool {
		c = e.Counters()
		return ok(c)
	})
	return c
}

// request sends a request over a new connection and returns how many bytes went both
// ways.
func request(t *testing.T, port uint16, line, fields string) (n int) {
	t.Helper()
	text := line + " HTTP/1.1\r\nHost: h\r\n" + fields + "Connection: close\r\n\r\n"
	return len(text) + len(send(t, port, text))
}

func TestTrafficIsCountedExactly(t *testing.T) {
	// One loop: two would make connections to the target each.
	e, port, target := newEngineWithLoops(t, 1), balancertest.FreePort(t), targetByPath(t)
	conf := balancertest.OneGroup(port, 1, target)
	lb := &conf.LoadBalancers[0]
	lb.Desync, lb.DropInvalid = "defensive", true
	lb.Listeners[0].Rules = []balancer.Rule{
		balancertest.OnPath(1, "/fixed", balancertest.Fixed(503, "later")),
		balancertest.OnPath(2, "/moved", toHTTPS),
		balancertest.OnPath(3, "/nobody", balancertest.Forward("arn:none")),
		balancertest.OnPath(4, "/refused", balancertest.Forward("arn:closed")),
	}
	closed := target
	closed.ID, closed.Port = "closed", balancertest.FreePort(t)
	conf.TargetGroups = append(conf.TargetGroups,
		balancer.TargetGroup{ARN: "arn:none", Check: balancertest.Check},
		balancer.TargetGroup{ARN: "arn:closed", Check: balancertest.Check, Targets: []balancer.Target{closed}},
	)
	e.Set(conf)
	waitStatus(t, e, "one target is healthy, one is not", func(s balancer.Status) bool {
		return len(s.Targets) == 2 && s.Targets[0].State == "unhealthy" && s.Targets[1].State == "healthy"
	})

	bytes := 0
	for line, times := range map[string]int{
		"GET /200": 5, "GET /302": 2, "GET /404": 3, "GET /500": 1, "GET /slow": 4, "GET /drop": 2,
		"GET /fixed": 3, "GET /moved": 2, "GET /nobody": 1, "GET /refused": 2, "TRACE /x": 1,
	} {
		for range times {
			bytes += request(t, port, line, "")
		}
	}
	bytes += request(t, port, "GET /200", "Content-Length: 0\r\n") // acceptable, not compliant
	bytes += request(t, port, "GET /200", "A_b: c\r\n")

	want := map[string]uint64{
		"HTTPCode_ELB_3XX_Count": 2, "HTTPCode_ELB_4XX_Count": 1, "HTTPCode_ELB_5XX_Count": 8,
		"HTTPCode_ELB_502_Count": 4, "HTTPCode_ELB_503_Count": 4,
		"HTTP_Redirect_Count": 2, "HTTP_Fixed_Response_Count": 3,
		"DesyncMitigationMode_NonCompliant_Request_Count": 1, "DroppedInvalidHeaderRequestCount": 1,
		"ProcessedBytes": uint64(bytes),
	}
	c := waitCounters(t, e, "all requests are counted", func(c balancer.Counters) bool {
		sums := maps.Clone(c.Nodes[0].Sums)
		delete(sums, "NewConnectionCount")
		return maps.Equal(sums, want)
	})
	n := c.Nodes[0]
	// 28 clients; after each of two requests without a response, the node made a new
	// connection to the target.
	if got := n.Sums["NewConnectionCount"]; got != 28+3 {
		t.Errorf("%d new connections", got)
	}
	if n.LoadBalancer != "arn:lb" || n.Zone != "zone-0" || len(n.Groups) != 3 {
		t.Fatalf("%+v", n)
	}
	checkGroups(t, n.Groups)
	checkTargets(t, n.Groups, e.Targets())
}

// checkGroups checks the counters of the groups arn:closed, arn:none and arn:tg.
func checkGroups(t *testing.T, groups []balancer.GroupCounters) {
	t.Helper()
	refused, none, group := groups[0], groups[1], groups[2]
	want := map[string]uint64{"RequestCount": 2, "TargetConnectionErrorCount": 2}
	if !maps.Equal(refused.Sums, want) || refused.Unhealthy != 1 || refused.Healthy != 0 {
		t.Errorf("the group whose target refuses: %+v", refused)
	}
	if len(none.Sums) != 0 || !none.Present {
		t.Errorf("the group without targets: %+v", none)
	}
	want = map[string]uint64{
		"RequestCount":              19,
		"HTTPCode_Target_2XX_Count": 11, "HTTPCode_Target_3XX_Count": 2,
		"HTTPCode_Target_4XX_Count": 3, "HTTPCode_Target_5XX_Count": 1,
	}
	if !maps.Equal(group.Sums, want) || group.Healthy != 1 {
		t.Errorf("the group: %+v", group)
	}
	checkTimes(t, group)
}

// checkTargets checks the counters of the only targets of the groups arn:closed and arn:tg.
func checkTargets(t *testing.T, groups []balancer.GroupCounters, targets []balancer.TargetCounters) {
	t.Helper()
	if len(targets) != 2 {
		t.Fatalf("targets %+v", targets)
	}
	if refused := targets[0]; refused.TargetGroup != "arn:closed" || refused.ID != "closed" || refused.Requests != 2 ||
		refused.Failures != 2 || len(refused.Times) != 0 {
		t.Errorf("the target that refuses: %+v", refused)
	}
	own, group := targets[1], groups[2]
	if own.LoadBalancer != "arn:lb" || own.Zone != "zone-0" || own.Requests != 19 || own.Failures != 3 ||
		!slices.Equal(own.Times, group.Times) {
		t.Errorf("the target of %+v: %+v", group, own)
	}
}

// checkTimes expects 17 responses, four of them after 20 ms.
func checkTimes(t *testing.T, g balancer.GroupCounters) {
	t.Helper()
	var all, slow uint64
	var low, high time.Duration
	for _, timing := range g.Times {
		all += timing.Count
		if timing.To > 20*time.Millisecond {
			slow += timing.Count
		}
		low += timing.From * time.Duration(timing.Count)
		high += timing.To * time.Duration(timing.Count)
	}
	if all != 17 || slow < 4 || g.Time < low || g.Time > high {
		t.Errorf("%d responses, %d of them slow, %v between %v and %v", all, slow, g.Time, low, high)
	}
}

func TestOpenConnectionsAreCounted(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	e.Set(balancertest.OneGroup(port, 1, targetByPath(t)))
	waitHealthy(t, e)
	conn := dial(t, port)
	_, _ = io.WriteString(conn, "GET /200 HTTP/1.1\r\nHost: h\r\n\r\n")
	readHead(bufio.NewReader(conn))
	waitCounters(t, e, "client and target", func(c balancer.Counters) bool { return c.Nodes[0].Active == 2 })
	_ = conn.Close()
	waitCounters(t, e, "the target alone", func(c balancer.Counters) bool { return c.Nodes[0].Active == 1 })
}

func TestNodeThatIsAddedAgainContinuesItsCounts(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	conf := balancertest.OneGroup(port, 1, targetByPath(t))
	e.Set(conf)
	waitHealthy(t, e)
	request(t, port, "GET /200", "")
	counted := func(n uint64) func(balancer.Counters) bool {
		return func(c balancer.Counters) bool {
			return len(c.Nodes) == 1 && c.Nodes[0].Groups[0].Sums["RequestCount"] == n
		}
	}
	waitCounters(t, e, "the first request", counted(1))
	e.Set(balancer.Config{})
	c := e.Counters()
	if !counted(1)(c) || c.Nodes[0].Groups[0].Present || c.Nodes[0].Active != 0 {
		t.Errorf("without the node: %+v", c)
	}
	e.Set(conf)
	waitHealthy(t, e)
	request(t, port, "GET /200", "")
	waitCounters(t, e, "both requests", counted(2))
}

// BenchmarkRecord measures what counting costs a forwarded request.
func BenchmarkRecord(b *testing.B) {
	counts := &nodeCounts{groups: map[string]*groupCounts{}}
	n := &node{counts: counts}
	to := &target{counts: counts.group("arn:tg"), own: &targetCounts{}}
	l, c := &listener{lb: &balancer.LoadBalancer{}}, &connection{}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		x := newExchange()
		x.roundTrip.listener = l
		x.record = record{
			begun: 1, connected: 2, answered: 300 * time.Microsecond, ended: 301 * time.Microsecond,
			target: to, action: &route.Action{}, status: 200, targetStatus: 200, received: 80, sent: 200,
		}
		for pb.Next() {
			n.record(c, x)
		}
	})
}
