package balancer

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"
)

var quickNodeCheck = nodeCheck{interval: 5 * time.Millisecond, timeout: time.Second, threshold: 3}

// listen accepts and closes connections at an address until the end of the test
// or the call of what it gives.
func listen(t *testing.T, at string) (netip.AddrPort, func()) {
	t.Helper()
	l, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	})
	shut := sync.OnceFunc(func() { _ = l.Close(); accepting.Wait() })
	t.Cleanup(shut)
	return netip.MustParseAddrPort(l.Addr().String()), shut
}

// becomes waits until the name's answers leave a node out, or not.
func becomes(t *testing.T, n *frontNode, out bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for n.out.Load() != out {
		if !wait(ctx, tick.C, nil) {
			t.Fatalf("%s: left out is not %t", n.at, out)
		}
	}
}

func TestADeadNodeLeavesTheNameAndComesBack(t *testing.T) {
	dead, shut := listen(t, "127.0.1.1:0")
	live, _ := listen(t, "127.0.1.2:0")
	r := &route{nodes: []*frontNode{{at: dead}, {at: live}}}
	ctx, stop := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	for _, n := range r.nodes {
		watching.Go(func() { n.watch(ctx, quickNodeCheck) })
	}
	defer watching.Wait()
	defer stop()

	shut()
	// Before it is noticed, each connection comes about all the same.
	for range 4 {
		if _, to := dialed(t, r); to != live {
			t.Errorf("connected to %s", to)
		}
	}
	becomes(t, r.nodes[0], true)
	if in := resolved(r.nodes); len(in) != 1 || in[0].at != live {
		t.Errorf("the name leads to %v", in)
	}
	listen(t, dead.String())
	becomes(t, r.nodes[0], false)
	seen := map[netip.AddrPort]int{}
	for range 10 {
		_, to := dialed(t, r)
		seen[to]++
	}
	if seen[dead] != 5 || seen[live] != 5 {
		t.Errorf("ten connections went to %v", seen)
	}
}

func dialed(t *testing.T, r *route) (from, to netip.AddrPort) {
	t.Helper()
	conn, err := r.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return netip.MustParseAddrPort(conn.LocalAddr().String()), netip.MustParseAddrPort(conn.RemoteAddr().String())
}

func TestANameOfDeadNodesLeadsToAllOfThem(t *testing.T) {
	nodes := []*frontNode{{}, {}}
	for _, n := range nodes {
		n.out.Store(true)
	}
	if in := resolved(nodes); len(in) != 2 {
		t.Errorf("the name leads to %v", in)
	}
}

func TestTheFrontWatchesTheNodesThatItHas(t *testing.T) {
	e, port := newEngine(t), freePort(t)
	b := newBackend(t, "a", nil)
	e.mu.Lock()
	e.front.check = quickNodeCheck
	e.mu.Unlock()
	config := oneGroup(port, 2, b.target())
	e.Set(config)
	before := (*e.front.routes.Load())[port][dnsName]
	e.Set(config)
	if after := (*e.front.routes.Load())[port][dnsName]; after != before {
		t.Error("setting the same again made the turns begin anew")
	}
	// A third node, at which nothing is.
	lb := config.LoadBalancers[0]
	lb.Nodes = append(
		lb.Nodes,
		Node{ID: "eni-dead", Address: lb.Nodes[0].Address, Public: netip.MustParseAddr("127.0.1.3")},
	)
	e.mu.Lock()
	e.front.set([]LoadBalancer{lb})
	e.mu.Unlock()
	nodes := (*e.front.routes.Load())[port][dnsName].nodes
	if len(nodes) != 3 || nodes[0] != before.nodes[0] {
		t.Fatalf("nodes %v, were %v", nodes, before.nodes)
	}
	becomes(t, nodes[2], true)
	for range 6 {
		answer, body := get(t, "127.0.0.1", port)
		if answer.StatusCode != http.StatusOK || body != "a" {
			t.Errorf("%s %q", answer.Status, body)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
	}
}
