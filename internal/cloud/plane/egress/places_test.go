//go:build linux

package egress

import (
	"net/netip"
	"slices"
	"testing"
)

func TestPlacesKeepAddressesThatCannotBeFoundNow(t *testing.T) {
	known := places{"gone.invalid:80": {netip.MustParseAddrPort("10.0.0.9:80")}}
	names := []string{
		"10.0.0.1:443", "gone.invalid:80", "never.invalid:80", "localhost:8080", "10.0.0.1:443", "10.0.0.1",
	}
	got := known.find(t.Context(), names)
	want := []netip.AddrPort{
		netip.MustParseAddrPort("10.0.0.1:443"), netip.MustParseAddrPort("10.0.0.9:80"),
		netip.MustParseAddrPort("127.0.0.1:8080"),
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
