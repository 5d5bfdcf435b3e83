//go:build linux

package machine

import "testing"

func TestInvalidMachinesAreRefused(t *testing.T) {
	good := Machine{ID: "i-1", Layers: []string{"/layer"}, UIDBase: 1 << 20, VCPUs: 1, MemoryMiB: 64, DiskGiB: 1}
	if err := good.validate(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*Machine){
		"an id that leaves its directory": func(m *Machine) { m.ID = "../i-1" },
		"no layers":                       func(m *Machine) { m.Layers = nil },
		"the host's own users":            func(m *Machine) { m.UIDBase = 0 },
		"no memory":                       func(m *Machine) { m.MemoryMiB = 0 },
		"no disk":                         func(m *Machine) { m.DiskGiB = 0 },
		"no processor":                    func(m *Machine) { m.VCPUs = 0 },
	} {
		m := good
		spoil(&m)
		if m.validate() == nil {
			t.Errorf("a machine with %s was accepted", name)
		}
	}
}
