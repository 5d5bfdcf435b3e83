//go:build linux

package network

import (
	"errors"
	"fmt"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// maxKept is how many tables of a router wait at most to be read, beside those that record. The kernel
// keeps them if the daemon is killed.
const maxKept = 16

// recorder is this process's knowledge of the tables that record flows in a router's namespace.
type recorder struct {
	tables []firewall.Ruleset
	known  bool // they record in the namespace, and no others
	kept   bool // there may be others, which have recorded
	// pending was read and waits to be asked for. All routers have the same, so that it has one
	// limit, and outlives a router.
	pending *firewall.Recorded
}

// Recorded returns what the networks recorded of interfaces with a Recording since the last call,
// also while no daemon ran.
func (p *Plane) Recorded() (recorded firewall.Recorded, problems error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, r := range p.routers {
		if len(r.recorder.tables) > 0 || r.recorder.kept {
			if err := r.rotateRecorders(0); err != nil {
				problems = errors.Join(problems, fmt.Errorf("record flows of %s: %w", id, err))
			}
		}
	}
	recorded, p.recorded = p.recorded, firewall.Recorded{}
	return recorded, problems
}

// setRecorders makes tables those that record flows, unless they are already.
func (r *router) setRecorders(tables []firewall.Ruleset) error {
	if r.recorder.known && textOf(tables) == textOf(r.recorder.tables) {
		return nil
	}
	r.recorder.tables = tables
	return r.rotateRecorders(maxKept)
}

// rotateRecorders continues with empty tables. It reads the others if they are more than keep.
func (r *router) rotateRecorders(keep int) error {
	r.recorder.known, r.recorder.kept = false, true
	// The tables are not what an audit of the namespace looks for.
	changed, err := r.ruleset.isChanged(r.namespace)
	if err != nil {
		return err
	}
	recorded, err := firewall.Rotate(r.fd(), keep, r.recorder.tables...)
	r.recorder.pending.Merge(recorded)
	if err != nil {
		return err
	}
	if !changed {
		if r.ruleset.generation, err = firewall.Generation(r.fd()); err != nil {
			return err
		}
	}
	r.recorder.known, r.recorder.kept = true, keep > 0
	return nil
}
