//go:build linux

package simulated

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/machine"
)

// Machines is a machine plane whose machines are entries of a map. The zero value is
// ready to use.
type Machines struct {
	Faults
	// Output returns the console output of a machine that has booted; nil means none.
	Output func(id string) []byte

	mu       sync.Mutex
	full     bool // the host's disk
	machines map[string]*simulatedMachine
	watchers map[chan string]struct{}
}

type simulatedMachine struct {
	machine.Machine
	state     machine.State
	exit      machine.Exit
	boots     int
	readOnly  bool          // the disk
	used      string        // the volume that it uses
	cpuBefore time.Duration // processor time used before loadSince
	load      float64       // processors in use since loadSince
	loadSince time.Time
	captured  []string // directories of the layers captured from it
}

// layers returns the directories of the machine's layers, bottom first.
func (m *simulatedMachine) layers() []string {
	layers := slices.Clone(m.Layers)
	for _, layer := range m.captured {
		if !slices.Contains(layers, layer) {
			layers = append(layers, layer)
		}
	}
	return layers
}

// Prepare adds a machine. A machine that was prepared before keeps its disk.
func (p *Machines) Prepare(_ context.Context, m machine.Machine) (namespace string, err error) {
	if err := p.recordCall("Prepare", m.ID); err != nil {
		return "", err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.machines == nil {
		p.machines = map[string]*simulatedMachine{}
	}
	next := &simulatedMachine{Machine: m, state: machine.Prepared}
	if old := p.machines[m.ID]; old != nil {
		next.captured, next.boots = old.captured, old.boots
	}
	p.machines[m.ID] = next
	return namespaceOf(m.ID), nil
}

func namespaceOf(id string) string { return "/simulated/" + id + "/net" }

// Described returns what the machine was prepared as.
func (p *Machines) Described(id string) machine.Machine {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m := p.machines[id]; m != nil {
		return m.Machine
	}
	return machine.Machine{}
}

// Boot starts a prepared machine.
func (p *Machines) Boot(_ context.Context, id string) error {
	return p.update("Boot", id, func(m *simulatedMachine) {
		m.state, m.exit = machine.Running, ""
		m.boots++
	})
}

// Stop stops a machine. Its disk remains.
func (p *Machines) Stop(_ context.Context, id string, _ bool) error {
	return p.update("Stop", id, func(m *simulatedMachine) { m.state = machine.Absent })
}

// Reboot restarts the machine's system.
func (p *Machines) Reboot(_ context.Context, id string) error {
	return p.update("Reboot", id, func(m *simulatedMachine) {
		m.readOnly = false
		m.boots++
	})
}

// PowerOff shuts the machine down from inside.
func (p *Machines) PowerOff(id string) error {
	return p.update("PowerOff", id, func(m *simulatedMachine) { m.state, m.exit = machine.Exited, machine.PowerOff })
}

// Crash makes the machine's system fail.
func (p *Machines) Crash(id string) error {
	return p.update("Crash", id, func(m *simulatedMachine) { m.state, m.exit = machine.Exited, machine.Crash })
}

// Remove deletes the machine and its disk. Removing an absent machine is no error.
func (p *Machines) Remove(_ context.Context, id string) error {
	if err := p.recordCall("Remove", id); err != nil {
		return err
	}
	p.mu.Lock()
	delete(p.machines, id)
	p.mu.Unlock()
	p.notify(id)
	return nil
}

// Capture creates a layer from the machine's disk, as machine.Plane does: the layer is
// a copy if the machine runs and reboot is false, else the disk itself.
func (p *Machines) Capture(
	ctx context.Context, id string, images machine.Images, reboot bool,
) (layer string, err error) {
	running := p.Status(id).State == machine.Running
	layer = images.NewLayerID()
	if err := p.update("Capture", id, func(*simulatedMachine) {}); err != nil {
		return "", err
	}
	if err := images.Commit(ctx, "", layer); err != nil || running && !reboot {
		return layer, err
	}
	err = p.update("Halt", id, func(m *simulatedMachine) {
		m.captured = append(m.captured, images.Path(layer))
		if running {
			m.state = machine.Absent
		}
	})
	if err == nil && running {
		err = p.Boot(ctx, id)
	}
	return layer, err
}

// update records a call and changes an existing machine.
func (p *Machines) update(operation, id string, change func(*simulatedMachine)) error {
	if err := p.recordCall(operation, id); err != nil {
		return err
	}
	p.mu.Lock()
	m := p.machines[id]
	if m == nil {
		p.mu.Unlock()
		return fmt.Errorf("%s machine %s: it was never prepared", strings.ToLower(operation), id)
	}
	change(m)
	p.mu.Unlock()
	p.notify(id)
	return nil
}

// Status returns the machine's current status.
func (p *Machines) Status(id string) machine.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.machines[id]
	if m == nil {
		return machine.Status{ID: id, State: machine.Absent}
	}
	s := machine.Status{ID: id, State: m.state, Exit: m.exit, Boots: m.boots, Layers: m.layers()}
	if m.state != machine.Absent {
		s.Namespace = namespaceOf(id)
	}
	return s
}

// List returns the ids of all machines, sorted.
func (p *Machines) List() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for id := range p.machines {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// Fill makes the host's disk full, or empties it again.
func (p *Machines) Fill(full bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.full = full
}

// CheckRoom returns machine.ErrNoRoom if the host's disk is full.
func (p *Machines) CheckRoom() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.full {
		return machine.ErrNoRoom
	}
	return nil
}

// FailDisk makes the machine's disk read-only until the machine boots.
func (p *Machines) FailDisk(id string) error {
	return p.update("FailDisk", id, func(m *simulatedMachine) { m.readOnly = true })
}

// IsReadOnly reports whether the machine runs with a read-only disk.
func (p *Machines) IsReadOnly(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.machines[id]
	return m != nil && m.state == machine.Running && m.readOnly
}

// Console returns the machine's console output.
func (p *Machines) Console(id string) ([]byte, error) {
	if p.Status(id).Boots == 0 || p.Output == nil {
		return nil, nil
	}
	return p.Output(id), nil
}

// String formats the machines, one a line.
func (p *Machines) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return joinLines(p.machines, func(m *simulatedMachine) string {
		line := fmt.Sprintf("%s %s %s %d vCPU %d MiB", m.ID, m.state, m.Hostname, m.VCPUs, m.MemoryMiB)
		if m.exit != "" {
			line += " " + string(m.exit)
		}
		return line + " on " + strings.Join(m.layers(), ", ")
	})
}
