package nat64_test

import (
	"net/netip"
	"testing"

	"aloft.dev/aloft/internal/cloud/nat64"
)

func TestAnAddressIsTheLastFourBytes(t *testing.T) {
	v4, v6 := netip.MustParseAddr("192.0.2.33"), netip.MustParseAddr("64:ff9b::c000:221") // RFC 6052, section 2.4
	if got := nat64.Embed(v4); got != v6 {
		t.Errorf("got %s, want %s", got, v6)
	}
	if got, ok := nat64.Extract(v6); got != v4 || !ok {
		t.Errorf("got %s, %v; want %s", got, ok, v4)
	}
	for _, other := range []string{"64:ff9b:1::c000:221", "192.0.2.33"} {
		if got, ok := nat64.Extract(netip.MustParseAddr(other)); ok {
			t.Errorf("%s: got %s, want none", other, got)
		}
	}
}
