//go:build linux

package network

import (
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"

	"aloft.dev/aloft/internal/cloud/plane/egress"
	"aloft.dev/aloft/internal/cloud/plane/linklocal"
)

// PlaneConfig says where the networks of one local cloud live on the host.
type PlaneConfig struct {
	RunDir      string       // this plane's directory, on a filesystem that does not survive a reboot
	Name        string       // at most 8 characters; unique among the host's local clouds
	PublicRange netip.Prefix // default 198.18.0.0/15; must not be in use on the host
	IPv6Range   netip.Prefix // default DefaultIPv6Range; without effect if in use on the host
	MTU         int          // default 9001, as within a VPC on AWS

	Egress *egress.Client // of the process for connections to the outside; nil: there are none
	Reach  egress.Reach   // what machines reach outside; the plane sets Public and ProxyAddress

	LinkLocal *linklocal.Client // of the process that talks to machines; nil: they find no services
	Log       *slog.Logger
}

// ranges returns the ranges of public addresses, that of IPv4 first. There is no range of IPv6
// if there is no IPv6.
func (c *PlaneConfig) ranges() []netip.Prefix {
	if c.IPv6Range.IsValid() {
		return []netip.Prefix{c.PublicRange, c.IPv6Range}
	}
	return []netip.Prefix{c.PublicRange}
}

// setDefaults fills in defaults and checks the configuration.
func (c *PlaneConfig) setDefaults() error {
	if !c.PublicRange.IsValid() {
		c.PublicRange = DefaultPublicRange
	}
	if !c.IPv6Range.IsValid() {
		c.IPv6Range = DefaultIPv6Range
	}
	if c.MTU == 0 {
		c.MTU = 9001
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	switch {
	case !filepath.IsAbs(c.RunDir):
		return fmt.Errorf("the network's directory %q is not an absolute path", c.RunDir)
	case c.Name == "" || len(c.Name) > 8:
		return fmt.Errorf("the network's name %q does not have 1 to 8 characters", c.Name)
	case !c.PublicRange.Addr().Is4() || c.PublicRange.Bits() > 24:
		return fmt.Errorf("the public range %s is not an IPv4 range of at least 256 addresses", c.PublicRange)
	}
	c.PublicRange, c.IPv6Range = c.PublicRange.Masked(), c.IPv6Range.Masked()
	c.Reach.Public, c.Reach.ProxyAddress = c.PublicRange, addressesOf(c.PublicRange).proxies
	return nil
}
