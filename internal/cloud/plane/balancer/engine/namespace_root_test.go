//go:build linux && root

package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
	"aloft.dev/aloft/internal/cloud/plane/balancer/keeper"
)

// newNamespace creates a network namespace that lasts as long as the test. It belongs
// to a thread alone, so nothing can be left behind.
func newNamespace(t *testing.T) (path string) {
	t.Helper()
	created, end, ended := make(chan string), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Error(err)
		}
		created <- fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), unix.Gettid())
		<-end
	}()
	path = <-created
	t.Cleanup(func() { close(end); <-ended })
	return path
}

// netlinkIn returns handles of the namespace and of netlink inside it.
func netlinkIn(t *testing.T, path string) (netns.NsHandle, *netlink.Handle) {
	t.Helper()
	ns, err := netns.GetFromPath(path)
	if err != nil {
		t.Fatal(err)
	}
	h, err := netlink.NewHandleAt(ns)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close(); _ = ns.Close() })
	return ns, h
}

// setUp gives a link an address and sets it up.
func setUp(t *testing.T, h *netlink.Handle, name, address string) {
	t.Helper()
	link, err := h.LinkByName(name)
	if err != nil {
		t.Fatal(err)
	}
	addr, err := netlink.ParseAddr(address)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.AddrAdd(link, addr), h.LinkSetUp(link)); err != nil {
		t.Fatal(err)
	}
}

// socketsIn returns what makes sockets in the namespace.
func socketsIn(t *testing.T, path string) *nodeSockets {
	t.Helper()
	k := &keeper.Keeper{}
	in, err := k.Find(path)
	if err != nil {
		t.Fatal(err)
	}
	s := &nodeSockets{keeper: k, in: in}
	t.Cleanup(func() { s.close(); _ = k.Close() })
	return s
}

// serveIn serves HTTP at 10.0.0.20:3000 inside a namespace and sends the address of
// each request's peer.
func serveIn(t *testing.T, space *nodeSockets) <-chan string {
	t.Helper()
	fd, err := space.keeper.Listen(space.in, netip.MustParseAddrPort("10.0.0.20:3000"))
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "listener")
	listener, err := net.FileListener(file)
	if err = errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	peers := make(chan string, 100)
	server := &http.Server{
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { peers <- r.RemoteAddr }),
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return peers
}

func TestRealNodeListensAndDialsInItsNamespace(t *testing.T) {
	node, peer := newNamespace(t), newNamespace(t)
	_, nodeNet := netlinkIn(t, node)
	peerNS, peerNet := netlinkIn(t, peer)
	pair := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: "node"},
		PeerName:      "peer",
		PeerNamespace: netlink.NsFd(peerNS),
	}
	if err := nodeNet.LinkAdd(pair); err != nil {
		t.Fatal(err)
	}
	setUp(t, nodeNet, "lo", "127.0.0.1/8")
	setUp(t, peerNet, "peer", "10.0.0.20/24")
	outside := socketsIn(t, peer)
	peers := serveIn(t, outside)

	target := balancer.Target{ID: "i-1", Address: netip.MustParseAddr("10.0.0.20"), Port: 3000}
	config := balancertest.OneGroup(80, 1, target)
	nodeAddr := netip.MustParseAddr("10.0.0.10")
	config.LoadBalancers[0].Nodes[0] = balancer.Node{ID: "eni-1", Zone: "a", Namespace: node, Address: nodeAddr}
	e := newEngine(t)
	e.Set(config)
	if s := e.Status(); !strings.Contains(s.Nodes[0].Error, "cannot assign requested address") {
		t.Errorf("a node without its address: %+v", s.Nodes)
	}
	setUp(t, nodeNet, "node", "10.0.0.10/24") // the engine tries again by itself
	waitStatus(t, e, "the node listens and the target is healthy", func(s balancer.Status) bool {
		return s.Nodes[0].Error == "" && balancertest.TargetsAre("healthy")(s)
	})

	transport := &http.Transport{DisableKeepAlives: true}
	transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return outside.dial(ctx, nil, netip.MustParseAddr("10.0.0.20"), netip.AddrPortFrom(nodeAddr, 80))
	}
	for len(peers) > 0 { // of health checks
		<-peers
	}
	resp, err := (&http.Client{Transport: transport}).Get("http://10.0.0.10/")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if from := <-peers; resp.StatusCode != http.StatusOK || !strings.HasPrefix(from, "10.0.0.10:") {
		t.Errorf("status %d, the target's peer is %s", resp.StatusCode, from)
	}
	inside := e.nodes[nodeKey{"arn:lb", "eni-1", node, "10.0.0.10"}].sockets.Load()
	checkDialErrors(t, inside)
	setUp(t, nodeNet, "lo", "10.0.0.50/32")
	checkClientsPort(t, inside)
	for _, name := range []string{"node", "peer"} {
		if _, err := netlink.LinkByName(name); err == nil {
			t.Errorf("link %s is on the host", name)
		}
	}
}

// checkClientsPort checks that connections have a client's port, or another one while that is in use.
func checkClientsPort(t *testing.T, inside *nodeSockets) {
	t.Helper()
	client, target := netip.MustParseAddrPort("10.0.0.50:40000"), netip.MustParseAddrPort("10.0.0.20:3000")
	for _, want := range []bool{true, false} {
		conn, err := inside.dialAs(t.Context(), client, target)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		from := netip.MustParseAddrPort(conn.LocalAddr().String())
		if from.Addr() != client.Addr() || (from.Port() == client.Port()) != want {
			t.Errorf("a connection is made from %s, for the client %s", from, client)
		}
	}
	_, err := inside.dialAs(t.Context(), client, netip.MustParseAddrPort("10.0.0.20:1"))
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a closed port: %v", err)
	}
}

func checkDialErrors(t *testing.T, inside *nodeSockets) {
	t.Helper()
	from := netip.MustParseAddr("10.0.0.10")
	_, err := inside.dial(t.Context(), nil, from, netip.MustParseAddrPort("10.0.0.20:1"))
	if !errors.Is(err, syscall.ECONNREFUSED) || statusOf(err) != http.StatusBadGateway {
		t.Errorf("a closed port: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = inside.dial(ctx, nil, from, netip.MustParseAddrPort("10.0.0.99:80"))
	if statusOf(err) != http.StatusGatewayTimeout {
		t.Errorf("a silent address: %v", err)
	}
}
