package machine

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"
)

// reportTimeout is how long a launcher may take to tell its state.
const reportTimeout = 5 * time.Second

// Status tells what has become of a machine. Nothing is remembered: it asks the
// machine's launcher, whoever started that.
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
	case errors.Is(err, errNoLauncher) && !exists(p.runDir(id)):
		return s
	case err != nil && !p.mounted(id):
		return s // a preparation that was interrupted
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

// List returns the ids of all machines that were prepared and not removed, sorted,
// also those of a daemon before this one.
func (p *Plane) List() []string {
	var found []string
	for _, dir := range []string{p.config.Dir, p.config.RunDir} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // no folder, no machines
		}
		for _, entry := range entries {
			if validID.MatchString(entry.Name()) {
				found = append(found, entry.Name())
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
