//go:build linux

package front

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

var fastCheck = nodeCheck{interval: 5 * time.Millisecond, timeout: time.Second, threshold: 3}

// listen accepts and closes connections at an address until the end of the test or a
// call of stop.
func listen(t *testing.T, at string) (addr netip.AddrPort, stop func()) {
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
	stop = sync.OnceFunc(func() { _ = l.Close(); accepting.Wait() })
	t.Cleanup(stop)
	return netip.MustParseAddrPort(l.Addr().String()), stop
}

// waitFailing waits until the node's checks find that it fails, or not.
func waitFailing(t *testing.T, n *node, failing bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); n.failing.Load() != failing; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("node %s: failing is not %t", n.at, failing)
		}
	}
}

func TestDeadNodeLeavesTheNameAndComesBack(t *testing.T) {
	dead, kill := listen(t, "127.0.1.1:0")
	live, _ := listen(t, "127.0.1.2:0")
	r := &route{nodes: []*node{{at: dead}, {at: live}}}
	ctx, stop := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	for _, n := range r.nodes {
		watching.Go(func() { n.watch(ctx, fastCheck) })
	}
	defer watching.Wait()
	defer stop()

	kill()
	for range 4 { // before the checks notice it, connections go to the other node
		if to := dialed(t, r); to != live {
			t.Errorf("connected to %s", to)
		}
	}
	waitFailing(t, r.nodes[0], true)
	if in := resolve(r.nodes); len(in) != 1 || in[0].at != live {
		t.Errorf("the name resolves to %v", in)
	}
	listen(t, dead.String())
	waitFailing(t, r.nodes[0], false)
	seen := map[netip.AddrPort]int{}
	for range 10 {
		seen[dialed(t, r)]++
	}
	if seen[dead] != 5 || seen[live] != 5 {
		t.Errorf("ten connections went to %v", seen)
	}
}

// dialed returns the node to which a connection goes.
func dialed(t *testing.T, r *route) netip.AddrPort {
	t.Helper()
	conn, err := r.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return netip.MustParseAddrPort(conn.RemoteAddr().String())
}

func TestNameOfDeadNodesResolvesToAllOfThem(t *testing.T) {
	nodes := []*node{{}, {}}
	for _, n := range nodes {
		n.failing.Store(true)
	}
	if in := resolve(nodes); len(in) != 2 {
		t.Errorf("the name resolves to %v", in)
	}
}
