//go:build linux

package network

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vishvananda/netlink"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// Remove deletes all networks, including those of an earlier process. Machines keep
// their namespaces and lose their interfaces.
func (p *Plane) Remove(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.openEdge(); err != nil {
		return err
	}
	problems := errors.Join(p.removeRoutersExcept(ctx, nil), p.removeNodesExcept(ctx, nil))
	p.listeners.closeEgress()
	if p.cfg.Egress != nil {
		problems = errors.Join(problems, p.cfg.Egress.Stop(ctx))
	}
	if p.cfg.LinkLocal != nil {
		problems = errors.Join(problems, p.cfg.LinkLocal.Stop(ctx))
	}
	problems = errors.Join(problems, p.edge.remove())
	p.edge = nil
	for _, dir := range []string{"routers", "nodes", ""} {
		err := os.Remove(filepath.Join(p.cfg.RunDir, dir))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			problems = errors.Join(problems, fmt.Errorf("remove directory: %w", err))
		}
	}
	return problems
}

// removeRoutersExcept removes the routers of other VPCs than the desired ones,
// including those of an earlier process.
func (p *Plane) removeRoutersExcept(ctx context.Context, desired map[string]bool) error {
	return p.removePinsExcept(ctx, "routers", desired, func(id string) error {
		if err := p.removeRouter(id); err != nil {
			return fmt.Errorf("remove network of %s: %w", id, err)
		}
		return nil
	})
}

// removeRouter deletes the router's devices before it unpins the namespace: a process
// that has the namespace open would keep them alive.
func (p *Plane) removeRouter(vpcID string) error {
	var problems error
	r, ok := p.routers[vpcID]
	if ok {
		delete(p.routers, vpcID)
	} else if _, err := statNamespace(p.routerPath(vpcID)); err == nil {
		n, err := openNamespace(p.routerPath(vpcID))
		if err != nil {
			return err
		}
		r = &router{namespace: n}
	}
	if r != nil {
		recorded, err := firewall.Rotate(r.fd(), 0)
		p.recorded.Merge(recorded)
		problems = errors.Join(err, r.removeVethPairs(), r.close())
	}
	return errors.Join(problems, unpin(p.routerPath(vpcID)))
}

func (n *namespace) removeVethPairs() error {
	devices, err := n.devices()
	if err != nil {
		return err
	}
	var pairs []netlink.Link
	for _, link := range devices {
		if link.Type() == "veth" {
			pairs = append(pairs, link)
		}
	}
	return n.removeDevices(pairs)
}

// removeNodesExcept removes the namespaces of other interfaces than the desired ones. Nothing
// serves in them any more.
func (p *Plane) removeNodesExcept(ctx context.Context, desired map[string]bool) error {
	return p.removePinsExcept(ctx, "nodes", desired, func(id string) error { return unpin(p.NodeNamespace(id)) })
}

// removePinsExcept ends the link-local services of the namespaces that are pinned in a directory
// and not desired, and then removes them.
func (p *Plane) removePinsExcept(
	ctx context.Context, dir string, desired map[string]bool, remove func(id string) error,
) error {
	present, err := p.listPins(dir)
	if err != nil {
		return err
	}
	var problems error
	for _, id := range present {
		if desired[id] {
			continue
		}
		if p.cfg.LinkLocal != nil {
			problems = errors.Join(problems, p.cfg.LinkLocal.Close(ctx, id))
		}
		problems = errors.Join(problems, remove(id))
	}
	return problems
}

// listPins returns the names of the namespaces pinned in a directory below RunDir.
func (p *Plane) listPins(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(p.cfg.RunDir, dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names, nil
}
