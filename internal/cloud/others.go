package cloud

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/machine"
)

// runFolders matches the Run folders of all places on the host.
const runFolders = "/run/aloft*"

// Other is another local cloud's place on this host, with something of it in the
// kernel.
type Other struct {
	Place
	Alive bool // its daemon, its load balancers or one of its machines runs
}

// Others finds the local clouds on this host beside the one at place.
func Others(ctx context.Context, place Place) ([]Other, error) {
	folders, err := filepath.Glob(runFolders)
	if err != nil {
		return nil, fmt.Errorf("look for other local clouds: %w", err)
	}
	var others []Other
	for _, folder := range folders {
		state, err := os.ReadFile(filepath.Join(folder, ownerFile))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("look for other local clouds: %w", err)
		}
		other, err := PlaceAt(strings.TrimSpace(string(state)))
		if err != nil || other.Run != folder || other == place {
			continue
		}
		others = append(others, Other{Place: other, Alive: alive(ctx, other)})
	}
	return others, nil
}

// alive tells whether any process of a local cloud runs.
func alive(ctx context.Context, place Place) bool {
	if _, err := FindDaemon(place); !errors.Is(err, ErrNotRunning) {
		return true
	}
	log := slog.New(slog.DiscardHandler)
	lb := &balancer.Client{Dir: filepath.Join(place.Run, "balancer"), Log: log}
	defer lb.Close()
	if lb.Running(ctx) {
		return true
	}
	machines, err := machine.New(
		machine.Config{
			Dir:        place.machines(),
			RunDir:     filepath.Join(place.Run, "machines"),
			CgroupName: place.Name,
			Launcher:   []string{"/proc/self/exe"},
			Log:        log,
		},
	)
	if err != nil {
		return true // what cannot be looked at is not called dead
	}
	defer func() { _ = machines.Close() }()
	for _, id := range machines.List() {
		if machines.Status(id).State == machine.Running {
			return true
		}
	}
	return false
}

// ClearAbandoned takes away what other local clouds have left in the kernel of
// which every process was killed, so that their range of public addresses is
// free. Their state stays, and comes back when they are started. It returns the
// places that it has cleared.
func ClearAbandoned(ctx context.Context, place Place) ([]Place, error) {
	others, err := Others(ctx, place)
	if err != nil {
		return nil, err
	}
	var cleared []Place
	for _, other := range others {
		if other.Alive {
			continue
		}
		if err := Clear(ctx, other.Place); err != nil {
			return cleared, fmt.Errorf("clear what the local cloud with its state in %s has left: %w", other.State, err)
		}
		if err := os.RemoveAll(other.Run); err != nil {
			return cleared, fmt.Errorf("clear what the local cloud with its state in %s has left: %w", other.State, err)
		}
		cleared = append(cleared, other.Place)
	}
	return cleared, nil
}
