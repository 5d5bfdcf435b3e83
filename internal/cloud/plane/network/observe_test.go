//go:build linux

package network

import (
	"net/netip"
	"testing"
)

func TestSocketsOfTheKernel(t *testing.T) {
	for text, want := range map[string]string{
		"0100007F:1F90":                         "127.0.0.1:8080",
		"00000000:0016":                         "0.0.0.0:22",
		"0501000A:0050":                         "10.0.1.5:80",
		"00000000000000000000000000000000:01BB": "[::]:443",
		"00000000000000000000000001000000:0035": "[::1]:53",
		"0000000000000000FFFF00000100007F:0035": "127.0.0.1:53",
	} {
		if got, err := parseSocket(text); err != nil || got != netip.MustParseAddrPort(want) {
			t.Errorf("%s is %v, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0100007F", "0100007F:10000", "01:0016", "no address"} {
		if got, err := parseSocket(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}
