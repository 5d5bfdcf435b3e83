//go:build linux

package instances

import (
	"testing"

	"aloft.dev/aloft/internal/cloud/bandwidth"
)

func TestPacketsAreLimitedUnlessNetworksAreNot(t *testing.T) {
	for text, want := range map[string]int{"type": 20_000, "64Mbps": 20_000, "unlimited": 0} {
		limit, err := bandwidth.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := packetRate(limit, 2); got != want {
			t.Errorf("with a network rate of %s and two vCPUs: %d packets a second, want %d", text, got, want)
		}
	}
}
