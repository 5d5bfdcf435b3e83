//go:build linux

package machine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"aloft.dev/aloft/internal/cloud/durable"
)

// record is the content of a machine's machine.json.
type record struct {
	Machine Machine
	// Captured are the directories of the layers captured from it, oldest first. After an
	// interrupted Capture the last one may not exist.
	Captured []string
}

// layers returns the directories of the machine's layers, bottom first: those of its image,
// then those captured from it.
func (r record) layers() []string {
	layers := slices.Clone(r.Machine.Layers)
	for _, layer := range r.Captured {
		if !slices.Contains(layers, layer) && exists(layer) {
			layers = append(layers, layer)
		}
	}
	return layers
}

// readRecord returns ErrNotFound if the machine has no record.
func (p *Plane) readRecord(id string) (record, error) {
	var r record
	data, err := os.ReadFile(p.recordFile(id))
	if errors.Is(err, fs.ErrNotExist) {
		return r, ErrNotFound
	}
	if err != nil {
		return r, fmt.Errorf("read the machine's record: %w", err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("read the machine's record: %w", err)
	}
	return r, nil
}

func (p *Plane) writeRecord(r record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write the machine's record: %w", err)
	}
	if err := os.MkdirAll(p.dir(r.Machine.ID), 0o700); err != nil {
		return fmt.Errorf("write the machine's record: %w", err)
	}
	if err := durable.WriteFile(p.recordFile(r.Machine.ID), data, 0o600); err != nil {
		return fmt.Errorf("write the machine's record: %w", err)
	}
	return nil
}
