//go:build linux

package network

import (
	"errors"
	"net/netip"
	"testing"
)

func TestDialAddress(t *testing.T) {
	cfg := PlaneConfig{PublicRange: DefaultPublicRange, HostProxies: map[uint16]string{3128: "127.0.0.1:3128"}}
	host := func() ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr("192.0.2.2")}, nil }
	for to, want := range map[string]any{
		"192.0.2.1:443":       "192.0.2.1:443",
		"10.1.2.3:22":         "10.1.2.3:22",
		"198.19.255.254:3128": "127.0.0.1:3128",
		"198.19.255.254:22":   errNoProxy,
		"198.18.0.3:22":       errNotExternal,
		"192.0.2.2:22":        errHost,
		"127.0.0.1:3128":      errNotExternal,
		"169.254.169.254:80":  errNotExternal,
		"224.0.0.1:80":        errNotExternal,
		"0.0.0.0:80":          errNotExternal,
		"255.255.255.255:80":  errNotExternal,
	} {
		address, err := dialAddress(netip.MustParseAddrPort(to), cfg, host)
		if refusal, refused := want.(error); refused != (err != nil) || refused && !errors.Is(err, refusal) ||
			!refused && address != want {
			t.Errorf("dialAddress(%s) = %q, %v; want %v", to, address, err, want)
		}
	}
}
