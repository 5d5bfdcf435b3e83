//go:build linux

package host

import (
	"errors"
	"os"
	"testing"

	"aloft.dev/aloft/internal/cloud/bandwidth"
	"aloft.dev/aloft/internal/diag"
)

func TestBandwidthIsRemembered(t *testing.T) {
	layout := Layout{StateDir: t.TempDir()}
	parse := func(text string) *bandwidth.Setting {
		s, err := bandwidth.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return &s
	}
	for _, step := range []struct {
		change        bandwidth.Change
		network, disk string
	}{
		{bandwidth.Change{}, "type", "type"},
		{bandwidth.Change{Network: parse("64Mbps")}, "64Mbps", "type"},
		{bandwidth.Change{Disk: parse("unlimited")}, "64Mbps", "unlimited"},
		{bandwidth.Change{}, "64Mbps", "unlimited"},
		{bandwidth.Change{Network: parse("type")}, "type", "unlimited"},
	} {
		got, err := RememberBandwidth(layout, step.change)
		if err != nil || got.Network.String() != step.network || got.Disk.String() != step.disk {
			t.Errorf("%+v: got network %s, disk %s, %v; want %s, %s",
				step.change, got.Network, got.Disk, err, step.network, step.disk)
		}
	}
	if err := os.WriteFile(layout.bandwidth(), []byte(`{"network":"much"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var problem *diag.Diagnostic
	if _, err := RememberBandwidth(layout, bandwidth.Change{}); !errors.As(err, &problem) {
		t.Errorf("a damaged file: got %v, want a problem", err)
	}
}
