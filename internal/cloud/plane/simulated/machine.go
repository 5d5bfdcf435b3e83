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

// Machines is a machine plane whose machines are rows. Its zero value is ready.
type Machines struct {
	Faults
	// Output is what the console of a machine says once it has booted; nil: nothing.
	Output func(id string) []byte

	mu       sync.Mutex
	machines map[string]*simulatedMachine
	watchers map[chan string]struct{}
}

type simulatedMachine struct {
	machine.Machine
	state     machine.State
	exit      machine.Exit
	boots     int
	cpuBefore time.Duration // processor time, until since
	load      float64       // processors that it uses from then on
	loadSince time.Time
	captured  []string // folders of the layers that were captured from it
}

// layers are the folders that the machine stands on.
func (m *simulatedMachine) layers() []string {
	layers := slices.Clone(m.Layers)
	for _, layer := range m.captured {
		if !slices.Contains(layers, layer) {
			layers = append(layers, layer)
		}
	}
	return layers
}

// Prepare takes the machine in. One that was there keeps its disk.
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

// Boot starts a prepared machine.
func (p *Machines) Boot(_ context.Context, id string) error {
	return p.update("Boot", id, func(m *simulatedMachine) {
		m.state, m.exit = machine.Running, ""
		m.boots++
	})
}

// Stop ends a machine; its disk stays.
func (p *Machines) Stop(_ context.Context, id string, _ bool) error {
	return p.update("Stop", id, func(m *simulatedMachine) { m.state = machine.Absent })
}

// Reboot starts the machine's system anew.
func (p *Machines) Reboot(_ context.Context, id string) error {
	return p.update("Reboot", id, func(m *simulatedMachine) { m.boots++ })
}

// PowerOff is somebody inside who shuts the machine down.
func (p *Machines) PowerOff(id string) error {
	return p.update("PowerOff", id, func(m *simulatedMachine) { m.state, m.exit = machine.Exited, machine.PowerOff })
}

// Crash is the end of the machine's system without anybody's doing.
func (p *Machines) Crash(id string) error {
	return p.update("Crash", id, func(m *simulatedMachine) { m.state, m.exit = machine.Exited, machine.Crash })
}

// Remove destroys the machine with its disk; it is no error when there is none.
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

// Capture makes the disk a layer of the images. Of a machine that runs, and is not
// to reboot for it, the layer is a copy; else the machine stands on it from then on.
func (p *Machines) Capture(
	ctx context.Context,
	id string,
	images machine.Images,
	reboot bool,
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

// update counts a call and changes a machine that has to be there.
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

// Status tells what has become of a machine.
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

// SetLoad has a machine use so many processors from now on.
func (p *Machines) SetLoad(id string, processors float64) error {
	return p.update("Busy", id, func(m *simulatedMachine) { m.cpuBefore, m.load, m.loadSince = m.cpu(), processors, time.Now() })
}

// cpu is the processor time that the machine has used.
func (m *simulatedMachine) cpu() time.Duration {
	if m.state != machine.Running || m.loadSince.IsZero() {
		return m.cpuBefore
	}
	return m.cpuBefore + time.Duration(m.load*float64(time.Since(m.loadSince)))
}

// Usage tells what a machine has used; false: it is not there.
func (p *Machines) Usage(id string) (machine.Usage, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.machines[id]
	if m == nil || m.state == machine.Absent {
		return machine.Usage{}, false
	}
	return machine.Usage{CPU: m.cpu()}, true
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

// Watch sends the ids of machines that have changed until ctx ends.
func (p *Machines) Watch(ctx context.Context) <-chan string {
	in, out := make(chan string, 64), make(chan string)
	p.mu.Lock()
	if p.watchers == nil {
		p.watchers = map[chan string]struct{}{}
	}
	p.watchers[in] = struct{}{}
	p.mu.Unlock()
	go func() { // ends with ctx, as the channel does that its owner reads
		defer close(out)
		defer func() {
			p.mu.Lock()
			delete(p.watchers, in)
			p.mu.Unlock()
		}()
		for {
			select {
			case id := <-in:
				select {
				case out <- id:
				case <-ctx.Done():
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

func (p *Machines) notify(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.watchers {
		select {
		case w <- id:
		default: // it has enough to look at
		}
	}
}

// Console is what the machine has written to its console.
func (p *Machines) Console(id string) ([]byte, error) {
	if p.Status(id).Boots == 0 || p.Output == nil {
		return nil, nil
	}
	return p.Output(id), nil
}

// String prints the machines, a line each.
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
