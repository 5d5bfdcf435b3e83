package network

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"

	"github.com/vishvananda/netlink"
)

// PlaneConfig says where the networks of one local cloud live on the host.
type PlaneConfig struct {
	RunDir      string       // folder of its own, on a filesystem that ends with the host's boot
	Name        string       // at most 8 characters; no other local cloud on the host may have it
	PublicRange netip.Prefix // default 198.18.0.0/15; no other use of it on the host
	MTU         int          // default 9001, as within a VPC on AWS

	// HostProxies are what machines reach at Plane.ProxyAddress: a port there, and
	// the address with port that the host dials instead, on its loopback or beyond.
	HostProxies map[uint16]string

	Metadata MetadataService // nil: no metadata service answers
	DNS      DNSService      // nil: no resolver answers
	Log      *slog.Logger
}

// DefaultPublicRange is set aside for benchmarks of network devices, so nothing
// on the internet has an address of it (RFC 2544, appendix C.2.2).
var DefaultPublicRange = netip.MustParsePrefix("198.18.0.0/15")

func (c *PlaneConfig) setDefaults() error {
	if !c.PublicRange.IsValid() {
		c.PublicRange = DefaultPublicRange
	}
	if c.MTU == 0 {
		c.MTU = 9001
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	switch {
	case !filepath.IsAbs(c.RunDir):
		return fmt.Errorf("the network's folder %q is not an absolute path", c.RunDir)
	case c.Name == "" || len(c.Name) > 8:
		return fmt.Errorf("the network's name %q does not have 1 to 8 characters", c.Name)
	case !c.PublicRange.Addr().Is4() || c.PublicRange.Bits() > 24:
		return fmt.Errorf("the public range %s is not an IPv4 range of at least 256 addresses", c.PublicRange)
	}
	c.PublicRange = c.PublicRange.Masked()
	return nil
}

// Plane makes networks in the kernel. What it makes outlives the process: the
// next Plane with the same RunDir and Name takes it over.
type Plane struct {
	cfg PlaneConfig

	mu      sync.Mutex
	edge    *edge
	routers map[string]*router // by VPC id

	listeners listeners
}

// New gives a plane. It looks whether the host can hold it and changes nothing;
// the error is a *ConflictError where the public range is in use.
func New(cfg PlaneConfig) (*Plane, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	if err := checkPublicRange(cfg); err != nil {
		return nil, err
	}
	return &Plane{cfg: cfg, routers: map[string]*router{}, listeners: newSockets()}, nil
}

// HostAddress is the address that machines see connections of the host come from.
func (p *Plane) HostAddress() netip.Addr { return addressesOf(p.cfg.PublicRange).host }

// ProxyAddress is where machines find HostProxies.
func (p *Plane) ProxyAddress() netip.Addr { return addressesOf(p.cfg.PublicRange).proxies }

// NodeNamespace is the path of the namespace of an interface that has its own.
func (p *Plane) NodeNamespace(interfaceID string) string {
	return filepath.Join(p.cfg.RunDir, "nodes", interfaceID)
}

func (p *Plane) routerPath(vpc string) string { return filepath.Join(p.cfg.RunDir, "routers", vpc) }
func (p *Plane) edgePath() string             { return filepath.Join(p.cfg.RunDir, "edge") }

// Set makes the kernel's network what config says and returns when it is. It may
// be called again and again; what is right already is not touched. A problem of
// one VPC or interface does not keep the others from what they need; one whose
// namespace is not there is fs.ErrNotExist. The plane
// keeps config to compare the next with: it must not be changed afterwards.
func (p *Plane) Set(ctx context.Context, config Config) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.openEdge(config.VPCs); err != nil {
		return err
	}
	wanted, nodes := map[string]bool{}, map[string]bool{}
	for _, vpc := range config.VPCs {
		wanted[vpc.ID] = true
		for _, i := range vpc.Interfaces {
			if i.OwnNamespace {
				nodes[i.ID] = true
			}
		}
	}
	problems := p.removeRouters(wanted)
	for _, vpc := range config.VPCs {
		if err := ctx.Err(); err != nil {
			return errors.Join(problems, err)
		}
		if err := p.setVPC(vpc); err != nil {
			problems = errors.Join(problems, fmt.Errorf("set network of %s: %w", vpc.ID, err))
		}
	}
	problems = errors.Join(problems, p.edge.routePublicAddresses(p.routers), p.removeNodes(nodes))
	return problems
}

func (p *Plane) openEdge(vpcs []VPC) error {
	if p.edge == nil {
		edge, err := openEdge(p.edgePath(), p.cfg)
		if err != nil {
			return fmt.Errorf("open the edge: %w", err)
		}
		p.edge = edge
	}
	if err := p.edge.reconcile(vpcs); err != nil {
		return err
	}
	return p.listeners.openEgress(p.edge)
}

func (p *Plane) setVPC(vpc VPC) error {
	r, ok := p.routers[vpc.ID]
	if !ok {
		var err error
		if r, err = openRouter(p.routerPath(vpc.ID), p.cfg.MTU, p.edge.addresses); err != nil {
			return err
		}
		p.routers[vpc.ID] = r
	}
	err := r.reconcile(vpc, p.edge, p.NodeNamespace)
	return errors.Join(err, p.listeners.openVPC(r, vpc, p.cfg))
}

// removeRouters removes the routers of VPCs that are not wanted, those that a
// former process left among them.
func (p *Plane) removeRouters(wanted map[string]bool) error {
	present, err := p.listPins("routers")
	if err != nil {
		return err
	}
	var problems error
	for _, id := range present {
		if wanted[id] {
			continue
		}
		p.listeners.closeVPC(id)
		if err := p.removeRouter(id); err != nil {
			problems = errors.Join(problems, fmt.Errorf("remove network of %s: %w", id, err))
		}
	}
	return problems
}

// removeRouter deletes devices by name: a namespace alone may live on for a
// while with somebody who looks at it.
func (p *Plane) removeRouter(id string) error {
	var problems error
	r, ok := p.routers[id]
	if ok {
		delete(p.routers, id)
	} else if _, err := statNamespace(p.routerPath(id)); err == nil {
		at, err := openNamespace(p.routerPath(id))
		if err != nil {
			return err
		}
		r = &router{namespace: at}
	}
	if r != nil {
		problems = errors.Join(r.removeVethPairs(), r.close())
	}
	return errors.Join(problems, unpin(p.routerPath(id)))
}

func (p *namespace) removeVethPairs() error {
	devices, err := p.devices()
	if err != nil {
		return err
	}
	var pairs []netlink.Link
	for _, link := range devices {
		if link.Type() == "veth" {
			pairs = append(pairs, link)
		}
	}
	return p.removeDevices(pairs)
}

func (p *Plane) removeNodes(wanted map[string]bool) error {
	present, err := p.listPins("nodes")
	if err != nil {
		return err
	}
	var problems error
	for _, id := range present {
		if !wanted[id] {
			problems = errors.Join(problems, unpin(p.NodeNamespace(id)))
		}
	}
	return problems
}

// listPins lists the names of what is pinned in a folder.
func (p *Plane) listPins(folder string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(p.cfg.RunDir, folder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look for %s: %w", folder, err)
	}
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names, nil
}

// Remove takes everything away, what a former process made included. Machines
// keep their namespaces and lose their interfaces.
func (p *Plane) Remove(_ context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.edge == nil {
		edge, err := openEdge(p.edgePath(), p.cfg)
		if err != nil {
			return fmt.Errorf("open the edge: %w", err)
		}
		p.edge = edge
	}
	problems := errors.Join(p.removeRouters(nil), p.removeNodes(nil))
	p.listeners.closeEgress()
	problems = errors.Join(problems, p.edge.remove())
	p.edge = nil
	for _, folder := range []string{"routers", "nodes", ""} {
		err := os.Remove(filepath.Join(p.cfg.RunDir, folder))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			problems = errors.Join(problems, fmt.Errorf("remove folder: %w", err))
		}
	}
	return problems
}

// Close lets go of the kernel's network and leaves it as it is. Run must have
// returned.
func (p *Plane) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var problems error
	for id, r := range p.routers {
		p.listeners.closeVPC(id)
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
