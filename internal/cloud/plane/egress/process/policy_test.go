//go:build linux

package process

import (
	"errors"
	"net/netip"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/egress"
)

func addresses(all ...string) []netip.Addr {
	parsed := make([]netip.Addr, 0, len(all))
	for _, a := range all {
		parsed = append(parsed, netip.MustParseAddr(a))
	}
	return parsed
}

func TestDialAddress(t *testing.T) {
	reach := egress.Reach{
		Public:       netip.MustParsePrefix("198.18.0.0/15"),
		ProxyAddress: netip.MustParseAddr("198.19.255.254"),
		Proxies:      map[uint16]string{3128: "127.0.0.1:3128"},
		Private: []netip.Prefix{
			netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("100.0.0.0/8"),
			netip.MustParsePrefix("2003:5:6:7aa::/64"),
		},
		Found: []netip.AddrPort{
			netip.MustParseAddrPort("10.9.9.9:8080"), netip.MustParseAddrPort("192.168.7.2:443"),
		},
	}
	host := func() ([]netip.Addr, error) {
		return addresses("192.0.2.2", "10.1.0.2", "172.17.0.1", "2003:5:6:701::2", "fe80::2"), nil
	}
	for to, want := range map[string]any{
		"192.0.2.1:443":       "192.0.2.1:443",
		"203.0.113.80:443":    "203.0.113.80:443",
		"198.19.255.254:3128": "127.0.0.1:3128",
		"198.19.255.254:22":   errNoProxy,
		"198.18.0.3:22":       errNotExternal,
		"127.0.0.1:3128":      errNotExternal,
		"169.254.169.254:80":  errNotExternal,
		"224.0.0.1:80":        errNotExternal,
		"0.0.0.0:80":          errNotExternal,
		"0.1.2.3:80":          errNotExternal,
		"240.0.0.1:80":        errNotExternal,
		"255.255.255.255:80":  errNotExternal,
		"[fe80::1]:80":        errNotExternal,
		"[::1]:80":            errNotExternal,
		"[::ffff:10.1.2.3]:1": errNotExternal,
		"[fd00:ec2::254]:80":  errNotExternal,
		"[2001:db8:a1::1]:80": errNotExternal, // also the local cloud's own range
		"[2002:a01:203::1]:1": errNotExternal, // leads to 10.1.2.3
		"[2001:0:1::1]:80":    errNotExternal,
		"[2600::1]:443":       "[2600::1]:443",
		"[2003:5:6:701::2]:1": errHost,
		"[2003:5:6:701::9]:1": errPrivate,
		"[2003:5:6:7ff::9]:1": errPrivate,
		"[2003:5:6:7aa::9]:1": "[2003:5:6:7aa::9]:1",
		"[2003:5:6:800::9]:1": "[2003:5:6:800::9]:1",
		"192.0.2.2:22":        errHost,
		"10.1.0.2:22":         errHost, // also in a range that is allowed
		"168.63.129.16:80":    errMetadata,
		"100.100.100.200:80":  errMetadata, // also in a range that is allowed
		"192.0.0.192:80":      errMetadata,
		"10.1.2.3:22":         "10.1.2.3:22",
		"100.64.0.1:22":       "100.64.0.1:22",
		"10.2.2.3:22":         errPrivate,
		"172.17.0.1:22":       errHost,
		"172.17.0.2:80":       errPrivate,
		"172.31.255.2:80":     errPrivate,
		"172.32.0.1:80":       "172.32.0.1:80",
		"192.0.0.8:80":        errPrivate,
		"192.168.0.1:53":      errPrivate,
		"10.9.9.9:8080":       "10.9.9.9:8080",
		"10.9.9.9:8081":       errPrivate,
		"192.168.7.2:443":     "192.168.7.2:443",
		"192.168.7.2:22":      errPrivate,
		"192.168.7.3:443":     errPrivate,
	} {
		address, err := dialAddress(reach, netip.MustParseAddrPort(to), host)
		if refusal, refused := want.(error); refused != (err != nil) || refused && !errors.Is(err, refusal) ||
			!refused && address != want {
			t.Errorf("dialAddress(%s) = %q, %v; want %v", to, address, err, want)
		}
	}
}
