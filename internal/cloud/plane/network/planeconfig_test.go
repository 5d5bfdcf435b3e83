//go:build linux

package network

import (
	"net/netip"
	"testing"
)

func TestInvalidPlaneConfigIsRefused(t *testing.T) {
	good := PlaneConfig{RunDir: "/run/x", Name: "x"}
	for name, change := range map[string]func(*PlaneConfig){
		"relative directory": func(c *PlaneConfig) { c.RunDir = "x" },
		"empty name":         func(c *PlaneConfig) { c.Name = "" },
		"long name":          func(c *PlaneConfig) { c.Name = "ninechars" },
		"small range":        func(c *PlaneConfig) { c.PublicRange = netip.MustParsePrefix("198.18.0.0/25") },
		"IPv6 range":         func(c *PlaneConfig) { c.PublicRange = netip.MustParsePrefix("fd00::/8") },
	} {
		c := good
		change(&c)
		if err := c.setDefaults(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := good.setDefaults(); err != nil || good.PublicRange != DefaultPublicRange {
		t.Errorf("valid config: got %v, %v", good, err)
	}
}
