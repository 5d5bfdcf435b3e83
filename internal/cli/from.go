package cli

import (
	"context"
	"net/netip"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/resource"
)

// addFromFlag adds --from, for the commands that connect to servers.
func addFromFlag(c *cobra.Command, g *global) {
	c.Flags().StringSliceVar(&g.from, "from", nil,
		"the `ADDRESS` or CIDR block from which servers see this computer, in place of a look-up; may be repeated")
}

// source returns the way to the addresses of this computer: those that --from names, or
// a look-up.
func (g *global) source() (resource.SourceAddress, error) {
	if len(g.from) == 0 {
		return g.sourceAddress, nil
	}
	var problems diag.List
	var all []netip.Prefix
	for _, text := range g.from {
		prefix, err := parseSource(text)
		if err != nil || !prefix.Addr().Is4() || prefix.Bits() == 0 {
			problems.Add("--from "+text, "for example: --from 203.0.113.7, or --from 203.0.113.0/28",
				"is not an IPv4 address or a block of some")
			continue
		}
		all = append(all, prefix.Masked())
	}
	return func(context.Context, netip.Addr) ([]netip.Prefix, error) { return all, nil }, problems.Err()
}

// parseSource parses an address or a CIDR block.
func parseSource(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	return netip.ParsePrefix(text)
}
