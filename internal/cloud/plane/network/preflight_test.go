//go:build linux

package network

import (
	"net"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func TestIsDefaultRoute(t *testing.T) {
	_, some, err := net.ParseCIDR("192.0.2.0/24")
	if err != nil {
		t.Fatal(err)
	}
	_, all, err := net.ParseCIDR("0.0.0.0/0")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		route netlink.Route
		want  bool
	}{
		"default without a destination": {netlink.Route{Type: unix.RTN_UNICAST}, true},
		"default with a destination":    {netlink.Route{Dst: all, Type: unix.RTN_UNICAST}, true},
		"route to a network":            {netlink.Route{Dst: some, Type: unix.RTN_UNICAST}, false},
		"default black hole":            {netlink.Route{Dst: all, Type: unix.RTN_BLACKHOLE}, false},
	} {
		if got := isDefaultRoute(test.route); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}
