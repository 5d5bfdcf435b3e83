//go:build linux

package network

import (
	"context"
	"sync"
)

// Run serves the machines of all VPCs and proxies their connections to the outside
// until ctx ends. Connections that arrive while it is not running wait.
func (p *Plane) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	if p.cfg.LinkLocal != nil {
		running.Go(func() { p.cfg.LinkLocal.Serve(ctx) })
	}
	for {
		if egress := p.listeners.claimNew(); egress != nil {
			running.Go(func() {
				defer p.listeners.releaseEgress(egress)
				if err := p.cfg.Egress.Serve(ctx, egress.listeners, p.cfg.Reach); err != nil {
					p.cfg.Log.Error("carry connections to the outside", "error", err)
				}
			})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-p.listeners.changed:
		}
	}
}
