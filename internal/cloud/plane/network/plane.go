//go:build linux

package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// Plane builds networks in the kernel. They outlive the process: the next Plane with
// the same RunDir and Name adopts them.
type Plane struct {
	cfg   PlaneConfig
	flows uint32 // most open flows that a machine began; 0: no limit

	mu       sync.Mutex
	edge     *edge
	routers  map[string]*router // by VPC ID
	recorded firewall.Recorded  // by routers, until Recorded returns it

	listeners listeners
}

// New returns a plane. It checks that the host can hold the networks and changes
// nothing. The error is a *ConflictError when the public range is in use.
func New(cfg PlaneConfig) (*Plane, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	if err := checkPublicRange(cfg, cfg.PublicRange); err != nil {
		return nil, err
	}
	if err := checkIPv6(cfg); err != nil {
		cfg.Log.Info("networks have no IPv6", "reason", err)
		cfg.IPv6Range = netip.Prefix{}
	}
	return &Plane{
		cfg: cfg, flows: flowLimit(cfg.Log), routers: map[string]*router{},
		listeners: newListeners(),
	}, nil
}

// HostAddress returns the source address of the host's connections as machines see it.
func (p *Plane) HostAddress() netip.Addr { return addressesOf(p.cfg.PublicRange).host }

// ProxyAddress returns the address at which machines reach the host's proxies.
func (p *Plane) ProxyAddress() netip.Addr { return addressesOf(p.cfg.PublicRange).proxies }

// NodeNamespace returns the path of the namespace of an interface with OwnNamespace.
func (p *Plane) NodeNamespace(interfaceID string) string {
	return filepath.Join(p.NodeNamespaces(), interfaceID)
}

// NodeNamespaces returns the folder of the paths that NodeNamespace returns.
func (p *Plane) NodeNamespaces() string { return filepath.Join(p.cfg.RunDir, "nodes") }

func (p *Plane) routerPath(vpcID string) string { return filepath.Join(p.cfg.RunDir, "routers", vpcID) }
func (p *Plane) edgePath() string               { return filepath.Join(p.cfg.RunDir, "edge") }

// Set brings the kernel's network to the desired state. It is idempotent and leaves
// alone what is already right. A failure in one VPC or interface does not stop the
// others; for an interface whose namespace is missing the error is fs.ErrNotExist.
//
// The plane keeps config to compare it with the next one: the caller must not change
// it afterwards.
func (p *Plane) Set(ctx context.Context, config Config) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.cfg.IPv6Range.IsValid() {
		config = config.withoutIPv6()
	}
	if err := p.reconcileEdge(ctx, config.VPCs); err != nil {
		return err
	}
	vpcs, nodes := map[string]bool{}, map[string]bool{}
	for _, vpc := range config.VPCs {
		vpcs[vpc.ID] = true
		for _, i := range vpc.Interfaces {
			if i.OwnNamespace {
				nodes[i.ID] = true
			}
		}
	}
	problems := errors.Join(p.removeRoutersExcept(ctx, vpcs), p.openRouters(config.VPCs))
	for _, vpc := range config.VPCs {
		if err := ctx.Err(); err != nil {
			return errors.Join(problems, err)
		}
		if err := p.reconcileVPC(ctx, vpc); err != nil {
			problems = errors.Join(problems, fmt.Errorf("set network of %s: %w", vpc.ID, err))
		}
	}
	return errors.Join(problems, p.edge.routePublicAddresses(p.routers), p.removeNodesExcept(ctx, nodes))
}

func (p *Plane) openEdge() error {
	if p.edge != nil {
		return nil
	}
	edge, err := openEdge(p.edgePath(), p.cfg, p.flows)
	if err != nil {
		return fmt.Errorf("open the edge: %w", err)
	}
	p.edge = edge
	return nil
}

func (p *Plane) reconcileEdge(ctx context.Context, vpcs []VPC) error {
	if err := p.openEdge(); err != nil {
		return err
	}
	if err := p.edge.reconcile(vpcs); err != nil {
		return err
	}
	if p.cfg.Egress == nil {
		return nil
	}
	return p.listeners.openEgress(ctx, p.edge, p.cfg.Egress)
}

// openRouters opens the routers of all VPCs, so that they can be connected.
func (p *Plane) openRouters(vpcs []VPC) error {
	var problems error
	for _, vpc := range vpcs {
		if p.routers[vpc.ID] != nil {
			continue
		}
		r, err := openRouter(p.routerPath(vpc.ID), p.cfg.MTU, p.flows, p.edge.addresses)
		if err != nil {
			problems = errors.Join(problems, fmt.Errorf("set network of %s: %w", vpc.ID, err))
			continue
		}
		r.recorder.pending = &p.recorded
		p.routers[vpc.ID] = r
	}
	return problems
}

func (p *Plane) reconcileVPC(ctx context.Context, vpc VPC) error {
	r, ok := p.routers[vpc.ID]
	if !ok {
		return nil // openRouters has told why
	}
	err := r.reconcile(vpc, p.edge, p.routers, p.NodeNamespace)
	if p.cfg.LinkLocal != nil {
		err = errors.Join(
			err, r.openServices(ctx, vpc, p.cfg.LinkLocal), r.openEndpoints(ctx, vpc, p.cfg.LinkLocal),
		)
	}
	return err
}

// Close closes this process's handles and leaves the kernel's network as it is. Run
// must have returned.
func (p *Plane) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var problems error
	if p.cfg.LinkLocal != nil {
		p.cfg.LinkLocal.Leave()
	}
	for _, r := range p.routers {
		problems = errors.Join(problems, r.close())
	}
	p.routers = map[string]*router{}
	p.listeners.closeEgress()
	if p.edge != nil {
		problems = errors.Join(problems, p.edge.close())
		p.edge = nil
	}
	return problems
}
