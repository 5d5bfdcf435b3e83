//go:build linux

package network

import (
	"fmt"
	"testing"
)

func TestPublicRangeAddresses(t *testing.T) {
	want := "198.18.0.1 198.18.0.2 198.18.0.3 198.19.255.254"
	a := addressesOf(DefaultPublicRange)
	if got := fmt.Sprint(a.edge, a.router, a.host, a.proxies); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
