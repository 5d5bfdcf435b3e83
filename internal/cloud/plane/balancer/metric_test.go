package balancer

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"strings"
	"testing"
	"time"
)

// byPath answers as the path says: /CODE with that status, after 20 ms for
// /slow; /drop gets no answer.
func byPath(t *testing.T) Target {
	return talker(t, func(in *bufio.Reader, out net.Conn) {
		for {
			h := head(in)
			if h == "" || strings.Contains(h, " /drop ") {
				return
			}
			code := 200
			_, path, _ := strings.Cut(h, " /")
			_, _ = fmt.Sscanf(path, "%d", &code)
			if strings.Contains(h, " /slow ") {
				time.Sleep(20 * time.Millisecond)
			}
			if _, err := fmt.Fprintf(out, "HTTP/1.1 %d Any\r\nContent-Length: 2\r\n\r\nhi", code); err != nil {
				return
			}
		}
	})
}

// counted waits until the counters are as wanted: an exchange is noted after its
// answer.
func counted(t *testing.T, e *Engine, what string, ok func(Counters) bool) Counters {
	t.Helper()
	var c Counters
	eventually(t, what, func() bool {
		c = e.Counters()
		return ok(c)
	})
	return c
}

// ask sends a request over a connection of its own and returns how many bytes
// went both ways.
func ask(t *testing.T, port uint16, line, more string) (n int) {
	t.Helper()
	text := line + " HTTP/1.1\r\nHost: h\r\n" + more + "Connection: close\r\n\r\n"
	return len(text) + len(speak(t, port, text))
}

func TestTrafficIsCountedExactly(t *testing.T) {
	e, port, target := newEngineOf(t, 1), freePort(t), byPath(t) // two loops have connections to the target each
	conf := oneGroup(port, 1, target)
	lb := &conf.LoadBalancers[0]
	lb.Desync, lb.DropInvalid = "defensive", true
	path := func(p string) []Condition { return []Condition{{Field: "path-pattern", Values: []string{p}}} }
	lb.Listeners[0].Rules = []Rule{
		{
			ARN:        "r1",
			Priority:   1,
			Conditions: path("/fixed"),
			Action:     Action{FixedResponse: &FixedResponse{Code: 503, ContentType: "text/plain", Body: "later"}},
		},
		{
			ARN:        "r2",
			Priority:   2,
			Conditions: path("/moved"),
			Action: Action{
				Redirect: &Redirect{
					Protocol: "HTTPS",
					Host:     "#{host}",
					Port:     "443",
					Path:     "/#{path}",
					Query:    "#{query}",
					Code:     301,
				},
			},
		},
		{ARN: "r3", Priority: 3, Conditions: path("/nobody"), Action: Action{Forward: []Share{{"arn:none", 1}}}},
		{ARN: "r4", Priority: 4, Conditions: path("/refused"), Action: Action{Forward: []Share{{"arn:closed", 1}}}},
	}
	closed := target
	closed.ID, closed.Port = "closed", freePort(t)
	conf.TargetGroups = append(
		conf.TargetGroups,
		TargetGroup{ARN: "arn:none", Check: quickCheck},
		TargetGroup{ARN: "arn:closed", Check: quickCheck, Targets: []Target{closed}},
	)
	e.Set(conf)
	until(t, e, "one is well, one is not", func(s Status) bool {
		return len(s.Targets) == 2 && s.Targets[0].State == "unhealthy" && s.Targets[1].State == "healthy"
	})

	bytes := 0
	for line, times := range map[string]int{
		"GET /200": 5, "GET /302": 2, "GET /404": 3, "GET /500": 1, "GET /slow": 4, "GET /drop": 2,
		"GET /fixed": 3, "GET /moved": 2, "GET /nobody": 1, "GET /refused": 2, "TRACE /x": 1,
	} {
		for range times {
			bytes += ask(t, port, line, "")
		}
	}
	bytes += ask(t, port, "GET /200", "Content-Length: 0\r\n") // acceptable, not compliant
	bytes += ask(t, port, "GET /200", "A_b: c\r\n")

	want := map[string]uint64{
		"HTTPCode_ELB_3XX_Count": 2, "HTTPCode_ELB_4XX_Count": 1, "HTTPCode_ELB_5XX_Count": 8,
		"HTTPCode_ELB_502_Count": 4, "HTTPCode_ELB_503_Count": 4, "HTTP_Redirect_Count": 2, "HTTP_Fixed_Response_Count": 3,
		"DesyncMitigationMode_NonCompliant_Request_Count": 1, "DroppedInvalidHeaderRequestCount": 1, "ProcessedBytes": uint64(bytes),
	}
	c := counted(t, e, "all is counted", func(c Counters) bool {
		sums := maps.Clone(c.Nodes[0].Sums)
		delete(sums, "NewConnectionCount")
		return maps.Equal(sums, want)
	})
	n := c.Nodes[0]
	// 28 clients; the target was connected to anew after each of two that got no answer.
	if got := n.Sums["NewConnectionCount"]; got != 28+3 {
		t.Errorf("%d new connections", got)
	}
	if n.LoadBalancer != "arn:lb" || n.Zone != "zone-0" || len(n.Groups) != 3 {
		t.Fatalf("%+v", n)
	}
	refused, none, group := n.Groups[0], n.Groups[1], n.Groups[2]
	if want := map[string]uint64{"RequestCount": 2, "TargetConnectionErrorCount": 2}; !maps.Equal(refused.Sums, want) ||
		refused.Unhealthy != 1 ||
		refused.Healthy != 0 {
		t.Errorf("the group whose target refuses: %+v", refused)
	}
	if len(none.Sums) != 0 || !none.Present {
		t.Errorf("the group without a target: %+v", none)
	}
	if want := map[string]uint64{"RequestCount": 19, "HTTPCode_Target_2XX_Count": 11, "HTTPCode_Target_3XX_Count": 2, "HTTPCode_Target_4XX_Count": 3, "HTTPCode_Target_5XX_Count": 1}; !maps.Equal(
		group.Sums,
		want,
	) ||
		group.Healthy != 1 {
		t.Errorf("the group: %+v", group)
	}
	checkTimes(t, group)
}

// checkTimes knows that 17 answers came, four of them after 20 ms.
func checkTimes(t *testing.T, g GroupCounters) {
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
		t.Errorf("%d answers, %d of them slow, %v between %v and %v", all, slow, g.Time, low, high)
	}
}

func TestConnectionsThatStandAreCounted(t *testing.T) {
	e, port := newEngine(t), freePort(t)
	e.Set(oneGroup(port, 1, byPath(t)))
	until(t, e, "healthy", allAre("healthy"))
	conn := dial(t, port)
	_, _ = io.WriteString(conn, "GET /200 HTTP/1.1\r\nHost: h\r\n\r\n")
	head(bufio.NewReader(conn))
	counted(t, e, "client and target", func(c Counters) bool { return c.Nodes[0].Active == 2 })
	_ = conn.Close()
	counted(t, e, "the target alone", func(c Counters) bool { return c.Nodes[0].Active == 1 })
}

func TestANodeThatIsMadeAnewGoesOnCounting(t *testing.T) {
	e, port := newEngine(t), freePort(t)
	conf := oneGroup(port, 1, byPath(t))
	e.Set(conf)
	until(t, e, "healthy", allAre("healthy"))
	ask(t, port, "GET /200", "")
	counted(t, e, "the first", func(c Counters) bool { return c.Nodes[0].Groups[0].Sums["RequestCount"] == 1 })
	e.Set(Config{})
	if c := e.Counters(); c.Nodes[0].Groups[0].Sums["RequestCount"] != 1 || c.Nodes[0].Groups[0].Present ||
		c.Nodes[0].Active != 0 {
		t.Errorf("%+v", c)
	}
	e.Set(conf)
	until(t, e, "healthy", allAre("healthy"))
	ask(t, port, "GET /200", "")
	counted(
		t,
		e,
		"both",
		func(c Counters) bool { return len(c.Nodes) == 1 && c.Nodes[0].Groups[0].Sums["RequestCount"] == 2 },
	)
}

func TestTimesKeepTheirPlace(t *testing.T) {
	for _, d := range []time.Duration{0, time.Microsecond, 15 * time.Microsecond, 16 * time.Microsecond, 31 * time.Microsecond, 32 * time.Microsecond,
		333 * time.Microsecond, time.Millisecond, 20 * time.Millisecond, time.Second, 59 * time.Second, time.Hour} {
		place := timing(d)
		from, to := timingFrom(place), timingFrom(place+1)
		if d < from || d >= to || to-from > max(time.Microsecond, from/steps) {
			t.Errorf("%v is counted from %v to %v", d, from, to)
		}
	}
	if timing(-time.Second) != 0 || timing(1000*time.Hour) != timings-1 {
		t.Error("what is out of range has no place")
	}
	for i := range timings - 1 {
		if timingFrom(i) >= timingFrom(i+1) {
			t.Fatalf("place %d begins at %v, the next at %v", i, timingFrom(i), timingFrom(i+1))
		}
	}
}

// BenchmarkNote is what counting costs a request that was forwarded.
func BenchmarkNote(b *testing.B) {
	counts := &nodeCounts{groups: map[string]*groupCounts{}}
	n := &node{counts: counts}
	to := &member{counts: counts.group("arn:tg")}
	p, c := &plan{lb: &LoadBalancer{}}, &connection{}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		x := newExchange()
		x.dialogue.plan = p
		x.record = record{
			begun:        1,
			connected:    2,
			answered:     300 * time.Microsecond,
			ended:        301 * time.Microsecond,
			target:       to,
			action:       &compiledAction{},
			status:       200,
			targetStatus: 200,
			received:     80,
			delivered:    200,
		}
		for pb.Next() {
			n.note(c, x)
		}
	})
}
