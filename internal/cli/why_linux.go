package cli

import (
	"context"
	"fmt"
	"net/netip"

	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/reachability"
)

// probeLocalCloud returns what the local cloud's kernel reports about a path, or nil if the cloud is
// another one or the path leaves it.
func (g *global) probeLocalCloud(
	ctx context.Context, p *reachability.Path, try bool,
) (*reachability.Facts, error) {
	if g.on != "local" || p.To.Interface == "" || p.To.Address == "" {
		return nil, nil //nolint:nilnil // nothing is known
	}
	at, err := netip.ParseAddr(p.To.Address)
	if err != nil {
		return nil, fmt.Errorf("parse the address of %s: %w", p.To.Name, err)
	}
	layout, err := g.layout()
	if err != nil {
		return nil, err
	}
	running, err := findDaemon(ctx, layout)
	if err != nil {
		return nil, err
	}
	outside, _ := netip.ParseAddr(p.From.Address) // the zero Addr is anywhere
	return running.Probe(ctx, layout, host.ProbeRequest{
		From: p.From.Interface, Outside: outside, To: p.To.Interface, At: netip.AddrPortFrom(at, p.Port), Try: try,
	})
}
