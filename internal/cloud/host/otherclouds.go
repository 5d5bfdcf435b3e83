//go:build linux

package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/machine"
)

// runDirs matches the run folders of all local clouds on the host.
const runDirs = "/run/aloft*"

// OtherCloud is another local cloud on this host that has a run folder.
type OtherCloud struct {
	Layout
	Alive bool // its daemon, its load balancers or one of its machines runs
}

// otherClouds returns the local clouds on this host other than layout's.
func otherClouds(ctx context.Context, layout Layout) ([]OtherCloud, error) {
	dirs, err := filepath.Glob(runDirs)
	if err != nil {
		return nil, fmt.Errorf("find other local clouds: %w", err)
	}
	var others []OtherCloud
	for _, dir := range dirs {
		stateDir, err := os.ReadFile(filepath.Join(dir, ownerFile))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("find other local clouds: %w", err)
		}
		other, err := LayoutFor(strings.TrimSpace(string(stateDir)))
		if err != nil || other.RunDir != dir || other == layout {
			continue
		}
		others = append(others, OtherCloud{Layout: other, Alive: alive(ctx, other)})
	}
	return others, nil
}

// alive reports whether a local cloud starts, or any of its processes runs. It reports true if
// it cannot find out, so that callers never remove the leftovers of a live one.
func alive(ctx context.Context, layout Layout) bool {
	if _, err := FindDaemon(ctx, layout); !errors.Is(err, ErrNotRunning) {
		return true
	}
	dir, err := unclaimed(ctx, layout)
	if err != nil || dir == nil {
		return true
	}
	defer func() { _ = dir.Close() }()
	return processesRun(ctx, layout)
}

// processesRun reports whether any process of a local cloud runs, or true if it cannot find out.
func processesRun(ctx context.Context, layout Layout) bool {
	if _, err := FindDaemon(ctx, layout); !errors.Is(err, ErrNotRunning) {
		return true
	}
	log := slog.New(slog.DiscardHandler)
	lb := &balancer.Client{Dir: layout.BalancerRun(), Log: log}
	defer lb.Close()
	if lb.Running(ctx) {
		return true
	}
	machines, err := openMachines(layout, log)
	if err != nil {
		return true
	}
	defer func() { _ = machines.Close() }()
	for _, id := range machines.List() {
		if machines.Status(id).State == machine.Running {
			return true
		}
	}
	return false
}

// RemoveAbandoned removes the leftovers of other local clouds on this host that
// have no running process, because their networks occupy the range of public
// addresses. Their state stays. It returns the local clouds whose leftovers it
// removed.
func RemoveAbandoned(ctx context.Context, layout Layout) ([]Layout, error) {
	others, err := otherClouds(ctx, layout)
	if err != nil {
		return nil, err
	}
	var removed []Layout
	for _, other := range others {
		if other.Alive {
			continue
		}
		done, err := removeAbandoned(ctx, other.Layout)
		if err != nil {
			return removed, fmt.Errorf("remove the leftovers of the local cloud in %s: %w", other.StateDir, err)
		}
		if done {
			removed = append(removed, other.Layout)
		}
	}
	return removed, nil
}

// removeAbandoned removes the leftovers of a local cloud, and reports whether it did: the local
// cloud may have started meanwhile.
func removeAbandoned(ctx context.Context, layout Layout) (bool, error) {
	dir, err := unclaimed(ctx, layout)
	if errors.Is(err, fs.ErrNotExist) || err == nil && dir == nil {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = dir.Close() }() // only now may a daemon claim the folder
	if processesRun(ctx, layout) {
		return false, nil
	}
	if err := RemoveLeftovers(ctx, layout); err != nil {
		return false, err
	}
	return true, os.RemoveAll(layout.RunDir)
}
