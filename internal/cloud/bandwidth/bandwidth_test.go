package bandwidth_test

import (
	"testing"

	"aloft.dev/aloft/internal/cloud/bandwidth"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text   string
		bytes  uint64
		byType bool
	}{
		{"type", 0, true},
		{"unlimited", 0, false},
		{"64Mbps", 8_000_000, false},
		{"1Gbps", 125_000_000, false},
		{"50MB/s", 50_000_000, false},
		{"100Gbps", 12_500_000_000, false},
	} {
		got, err := bandwidth.Parse(c.text)
		if err != nil || got.BytesPerSecond() != c.bytes || got.ByType() != c.byType {
			t.Errorf("Parse(%s) = %d bytes per second, by type %t, %v", c.text, got.BytesPerSecond(), got.ByType(), err)
		}
		again, err := bandwidth.Parse(got.String())
		if err != nil || again != got {
			t.Errorf("Parse(%s).String() = %s, which is %v, %v", c.text, got, again, err)
		}
	}
	for _, text := range []string{
		"", "off", "5", "0Mbps", "-1Mbps", "1.5Gbps", "101Gbps", "64 Mbps", "64mbps", "4294967296Mbps",
	} {
		if got, err := bandwidth.Parse(text); err == nil {
			t.Errorf("Parse(%q) = %s", text, got)
		}
	}
}

func TestPacketsAreLimitedUnlessNetworksAreNot(t *testing.T) {
	for text, want := range map[string]int{"type": 20_000, "64Mbps": 20_000, "unlimited": 0} {
		limit, err := bandwidth.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := limit.PacketsPerSecond(2); got != want {
			t.Errorf("with a network rate of %s and two vCPUs: %d packets a second, want %d", text, got, want)
		}
	}
}
