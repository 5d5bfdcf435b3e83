//go:build linux

package simulated

import (
	"time"

	"aloft.dev/aloft/internal/cloud/plane/machine"
)

// SetLoad makes the machine use the given number of processors from now on.
func (p *Machines) SetLoad(id string, processors float64) error {
	return p.update("SetLoad", id, func(m *simulatedMachine) {
		m.cpuBefore, m.load, m.loadSince = m.cpu(), processors, time.Now()
	})
}

// cpu returns the processor time that the machine has used.
func (m *simulatedMachine) cpu() time.Duration {
	if m.state != machine.Running || m.loadSince.IsZero() {
		return m.cpuBefore
	}
	return m.cpuBefore + time.Duration(m.load*float64(time.Since(m.loadSince)))
}

// Usage returns what a machine has used, or false if the machine is absent.
func (p *Machines) Usage(id string) (machine.Usage, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.machines[id]
	if m == nil || m.state == machine.Absent {
		return machine.Usage{}, false
	}
	return machine.Usage{CPU: m.cpu()}, true
}
