//go:build root

package balancer

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
)

// newNamespace makes a network namespace that lasts as long as the test: it
// belongs to a thread alone, so nothing can be left behind.
func newNamespace(t *testing.T) (path string) {
	t.Helper()
	made, end, ended := make(chan string), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Error(err)
		}
		made <- fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), unix.Gettid())
		<-end
	}()
	path = <-made
	t.Cleanup(func() { close(end); <-ended })
	return path
}

func in(t *testing.T, path string) (netns.NsHandle, *netlink.Handle) {
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

func up(t *testing.T, h *netlink.Handle, name, address string) {
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

func TestANodeListensAndDialsInItsNamespace(t *testing.T) {
	node, peer := newNamespace(t), newNamespace(t)
	_, nodeNet := in(t, node)
	peerNS, peerNet := in(t, peer)
	pair := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: "node"},
		PeerName:      "peer",
		PeerNamespace: netlink.NsFd(peerNS),
	}
	if err := nodeNet.LinkAdd(pair); err != nil {
		t.Fatal(err)
	}
	up(t, nodeNet, "lo", "127.0.0.1/8")
	up(t, peerNet, "peer", "10.0.0.20/24")

	outside, err := openNamespace(peer)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = outside.close() }()
	var listener net.Listener
	if err := outside.enter(func() (err error) {
		listener, err = net.Listen("tcp4", "10.0.0.20:3000")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	seen := make(chan string, 100)
	backend := &http.Server{
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r.RemoteAddr }),
	}
	go func() { _ = backend.Serve(listener) }()
	defer func() { _ = backend.Close() }()

	config := oneGroup(80, 1, Target{ID: "i-1", Address: netip.MustParseAddr("10.0.0.20"), Port: 3000})
	config.LoadBalancers[0].Nodes[0] = Node{
		ID:        "eni-1",
		Zone:      "a",
		Namespace: node,
		Address:   netip.MustParseAddr("10.0.0.10"),
	}
	e := newEngine(t)
	e.Set(config)
	if s := e.Status(); !strings.Contains(s.Nodes[0].Error, "cannot assign requested address") {
		t.Errorf("a node without its address: %+v", s.Nodes)
	}
	up(t, nodeNet, "node", "10.0.0.10/24") // it goes on by itself
	until(t, e, "the node listens and the target is healthy", func(s Status) bool {
		return s.Nodes[0].Error == "" && allAre("healthy")(s)
	})

	client := &http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return outside.dial(ctx, nil, netip.MustParseAddr("10.0.0.20"), netip.MustParseAddrPort("10.0.0.10:80"))
			},
		},
	}
	for len(seen) > 0 {
		<-seen
	}
	answer, err := client.Get("http://10.0.0.10/")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if from := <-seen; answer.StatusCode != http.StatusOK || !strings.HasPrefix(from, "10.0.0.10:") {
		t.Errorf("%d, the target's peer is %s", answer.StatusCode, from)
	}

	for _, loop := range e.loops { // which made the connection
		at := make(chan string)
		loop.Post(func() {
			link, err := os.Readlink("/proc/thread-self/ns/net")
			at <- fmt.Sprint(link, err)
		})
		home, err := os.Readlink("/proc/thread-self/ns/net")
		if got := <-at; got != fmt.Sprint(home, err) {
			t.Errorf("the loop is in %s, not at home in %s", got, home)
		}
	}

	inside := e.nodes[nodeKey{"arn:lb", "eni-1", node, "10.0.0.10"}].space.Load()
	_, err = inside.dial(t.Context(), nil, netip.MustParseAddr("10.0.0.10"), netip.MustParseAddrPort("10.0.0.20:1"))
	if !errors.Is(err, syscall.ECONNREFUSED) || failure(err) != http.StatusBadGateway {
		t.Errorf("a closed port: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = inside.dial(ctx, nil, netip.MustParseAddr("10.0.0.10"), netip.MustParseAddrPort("10.0.0.99:80"))
	if failure(err) != http.StatusGatewayTimeout {
		t.Errorf("a silent address: %v", err)
	}
	for _, name := range []string{"node", "peer"} {
		if _, err := netlink.LinkByName(name); err == nil {
			t.Errorf("%s is on the host", name)
		}
	}
}
