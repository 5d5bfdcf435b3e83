//go:build linux && root

package network

import (
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
)

// trackedFlows returns how many flows the kernel tracks in a namespace.
func (s *site) trackedFlows(path string) (n int) {
	s.Helper()
	err := inNamespace(path, func() error {
		text, err := os.ReadFile("/proc/sys/net/netfilter/nf_conntrack_count")
		if err == nil {
			n, err = strconv.Atoi(strings.TrimSpace(string(text)))
		}
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	return n
}

func TestRealOneMachineDoesNotUseUpFlows(t *testing.T) {
	const limit, flood = 600, 3000
	s := newSite(t, withMachineServices(t))
	if s.plane.flows < minFlows {
		t.Errorf("the limit is %d, want at least %d", s.plane.flows, minFlows)
	}
	s.plane.flows = limit
	a, b, c := s.machine("a"), s.machine("b", 3000), s.machine("c")
	s.set(newVPC("v", eni("v", "10.0.1.10", a), eni("v", "10.0.1.11", b), eni("v", "10.0.1.12", c)))
	router := s.plane.routerPath("v")
	before := s.trackedFlows(router)
	for _, to := range []string{"10.0.1.11:9", "10.0.0.2:53"} { // another machine, and the router itself
		err := inNamespace(a, func() error {
			for range flood / 2 {
				conn, err := net.Dial("udp4", to)
				if err != nil {
					return err
				}
				_, _ = conn.Write([]byte{0}) // the last packet may have been answered by an error
				_ = conn.Close()
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := s.trackedFlows(router) - before; n > limit+10 {
		t.Errorf("%d flows of one machine are tracked, want at most %d", n, limit)
	}
	s.assertAnswers(c, "10.0.1.11:3000", "b")
	if _, err := readInstanceID(c); err != nil {
		t.Errorf("metadata of another machine: %v", err)
	}
	s.assertSilent(a, "10.0.1.11:3000")
}

func TestRealNeighborsThatAllNeedStay(t *testing.T) {
	s := newSite(t)
	a := s.machine("a", 3000)
	v := withGateway(newVPC("v", withPublicIP(eni("v", "10.0.1.10", a), "203.0.113.20")))
	s.set(v)
	s.assertAnswers(hostNamespace, "203.0.113.20:3000", "a")
	assertKept := func() {
		t.Helper()
		own := s.plane.edge.addresses.of(netip.MustParseAddr("10.0.1.10"))
		for path, wants := range map[string][]netip.Addr{
			s.plane.routerPath("v"): {netip.MustParseAddr("10.0.1.10"), own.edge},
			s.plane.edgePath():      {own.router, own.host},
			a:                       {netip.MustParseAddr("10.0.1.1")},
			hostNamespace:           {own.edge},
		} {
			n, err := openNamespace(path)
			if err != nil {
				t.Fatal(err)
			}
			found, err := n.netlink.NeighList(0, netlink.FAMILY_V4)
			_ = n.close()
			if err != nil {
				t.Fatal(err)
			}
			kept := map[netip.Addr]bool{}
			for _, neighbor := range found {
				if addr, ok := netip.AddrFromSlice(neighbor.IP); ok && neighbor.State == netlink.NUD_PERMANENT {
					kept[addr.Unmap()] = true
				}
			}
			for _, want := range wants {
				if !kept[want] {
					t.Errorf("%s does not keep its neighbour %s: %v", path, want, found)
				}
			}
		}
	}
	assertKept()
	s.restartPlane()
	s.set(v)
	assertKept()
}
