//go:build linux

package machine

import (
	"context"
	"os"
	"slices"
)

// Status returns the machine's current status. It queries the machine's launcher, whether
// this process started it or an earlier daemon.
func (p *Plane) Status(id string) Status {
	s := Status{ID: id, State: Absent}
	if !validID.MatchString(id) {
		return s
	}
	r, err := p.readRecord(id)
	if err != nil {
		return s
	}
	s.Layers = r.layers()
	ctx, cancel := context.WithTimeout(context.Background(), reportTimeout)
	defer cancel()
	now, err := call(ctx, p.socket(id), request{Do: opReport})
	switch {
	case !p.mounted(id):
		return s // at most an interrupted Prepare or Remove left some of it, such as a launcher
	case err != nil:
		s.State, s.Exit, s.Detail = Exited, Crash, "its launcher is gone: "+err.Error()
	default:
		s.State, s.Exit, s.Detail = now.State, now.Exit, now.Detail
		s.PID, s.Launcher, s.Boots = now.Init, now.PID, now.Boots
	}
	s.Namespace = p.namespace(id)
	s.MemoryBytes = p.cgroup(id).memoryUsage()
	return s
}

// List returns the ids of all machines that were prepared and not removed, sorted. It
// includes the machines of earlier daemons.
func (p *Plane) List() []string {
	var ids []string
	for _, dir := range []string{p.config.Dir, p.config.RunDir} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // without the directory there are no machines
		}
		for _, entry := range entries {
			if validID.MatchString(entry.Name()) {
				ids = append(ids, entry.Name())
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
