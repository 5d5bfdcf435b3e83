package machine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// record is what a machine's folder remembers of it.
type record struct {
	Machine  Machine
	Captured []string // layers taken from this machine, oldest first; one may not have come to be
}

// layers are what the machine stands on: its image and what was captured from it.
func (r record) layers() []string {
	layers := slices.Clone(r.Machine.Layers)
	for _, layer := range r.Captured {
		if !slices.Contains(layers, layer) && exists(layer) {
			layers = append(layers, layer)
		}
	}
	return layers
}

// Places of a machine. What is below Dir outlives the host's next boot.
func (p *Plane) dir(id string) string         { return filepath.Join(p.config.Dir, id) }
func (p *Plane) recordFile(id string) string  { return filepath.Join(p.dir(id), "machine.json") }
func (p *Plane) disk(id string) string        { return filepath.Join(p.dir(id), "disk") }
func (p *Plane) upper(id string) string       { return filepath.Join(p.disk(id), "upper") }
func (p *Plane) consoleLog(id string) string  { return filepath.Join(p.dir(id), "console.log") }
func (p *Plane) launcherLog(id string) string { return filepath.Join(p.dir(id), "launcher.log") }
func (p *Plane) runDir(id string) string      { return filepath.Join(p.config.RunDir, id) }
func (p *Plane) root(id string) string        { return filepath.Join(p.runDir(id), "root") }
func (p *Plane) namespace(id string) string   { return filepath.Join(p.runDir(id), "net") }
func (p *Plane) socket(id string) string      { return filepath.Join(p.runDir(id), "control") }
func (p *Plane) cgroup(id string) cgroup {
	return cgroup{hierarchies: p.hierarchies, name: filepath.Join(p.config.CgroupName, id)}
}

func (p *Plane) readRecord(id string) (record, error) {
	var r record
	data, err := os.ReadFile(p.recordFile(id))
	if errors.Is(err, fs.ErrNotExist) {
		return r, ErrNotFound
	}
	if err != nil {
		return r, fmt.Errorf("read what machine it is: %w", err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("read what machine it is: %w", err)
	}
	return r, nil
}

func (p *Plane) writeRecord(r record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write machine down: %w", err)
	}
	if err := os.MkdirAll(p.dir(r.Machine.ID), 0o700); err != nil {
		return fmt.Errorf("write machine down: %w", err)
	}
	if err := replaceFile(p.recordFile(r.Machine.ID), string(data), 0o600); err != nil {
		return fmt.Errorf("write machine down: %w", err)
	}
	return nil
}

var validID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// validate tells whether the machine can be made.
func (m Machine) validate() error {
	switch {
	case !validID.MatchString(m.ID):
		return fmt.Errorf("%q is no machine id", m.ID)
	case len(m.Layers) == 0:
		return errors.New("it has no layers")
	case m.UIDBase < idsPerMachine:
		return fmt.Errorf("its user ids begin at %d, among the host's own", m.UIDBase)
	case m.VCPUs < 1 || m.MemoryMiB < 1:
		return fmt.Errorf("%d vCPUs and %d MiB are not enough", m.VCPUs, m.MemoryMiB)
	}
	return nil
}
