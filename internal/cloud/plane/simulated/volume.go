//go:build linux

package simulated

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"aloft.dev/aloft/internal/cloud/plane/machine"
)

// Volumes keeps the sizes of contents of volumes. The zero value is ready to use.
type Volumes struct {
	Faults

	mu    sync.Mutex
	sizes map[string]int // in GiB, by id
}

// Create creates a content.
func (p *Volumes) Create(_ context.Context, id string, gib int, from string) error {
	if err := p.recordCall("Create", id); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.sizes[from]; from != "" && !ok {
		return fmt.Errorf("copy %s: there is no such volume", from)
	}
	if p.sizes == nil {
		p.sizes = map[string]int{}
	}
	p.sizes[id] = gib
	return nil
}

// Grow makes a content larger.
func (p *Volumes) Grow(id string, gib int) error {
	if err := p.recordCall("Grow", id); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.sizes[id]; !ok {
		return fmt.Errorf("grow %s: there is no such volume", id)
	}
	p.sizes[id] = gib
	return nil
}

// Path returns a path of a content.
func (p *Volumes) Path(id string) string { return "/simulated/volumes/" + id }

// Remove deletes a content.
func (p *Volumes) Remove(id string) error {
	if err := p.recordCall("Remove", id); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.sizes, id)
	return nil
}

// List returns the ids of all contents, sorted.
func (p *Volumes) List() ([]string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.sizes)), nil
}

// String formats the contents, one a line.
func (p *Volumes) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return joinLines(p.sizes, func(gib int) string { return fmt.Sprintf("%d GiB", gib) })
}

// AttachVolume gives a machine that was prepared a volume.
func (p *Machines) AttachVolume(_ context.Context, id string, v machine.Volume) error {
	return p.update("AttachVolume", id, func(m *simulatedMachine) {
		if !slices.ContainsFunc(m.Volumes, func(other machine.Volume) bool { return other.ID == v.ID }) {
			m.Volumes = append(slices.Clip(m.Volumes), v)
		}
	})
}

// DetachVolume takes a volume from a machine. One that UseVolume says is in use stays, without
// force.
func (p *Machines) DetachVolume(_ context.Context, id, volume string, force bool) (gone bool, err error) {
	if err := p.recordCall("DetachVolume", id); err != nil {
		return false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.machines[id]
	if m == nil {
		return true, nil
	}
	if m.used == volume && !force {
		return false, nil
	}
	m.Volumes = slices.DeleteFunc(slices.Clone(m.Volumes), func(v machine.Volume) bool { return v.ID == volume })
	return true, nil
}

// UseVolume makes a machine use a volume, as one that has mounted it does; "" for none.
func (p *Machines) UseVolume(id, volume string) error {
	return p.update("UseVolume", id, func(m *simulatedMachine) { m.used = volume })
}

// CopyVolume calls do. As for a real machine, the id must be one.
func (p *Machines) CopyVolume(
	ctx context.Context, id, _ string, do func(context.Context) error,
) error {
	if err := p.recordCall("CopyVolume", id); err != nil {
		return err
	}
	if id == "" {
		return errors.New("there is no such machine")
	}
	return do(ctx)
}

// ResizeVolume does nothing: simulated volumes have no devices.
func (p *Machines) ResizeVolume(string) error { return nil }
