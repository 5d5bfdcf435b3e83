package cloud

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/plane/network"
)

// Clear takes away what a daemon that was killed left running: machines,
// networks, load balancers. What is wanted of them is kept.
func Clear(ctx context.Context, place Place) error {
	if _, err := os.Stat(place.Run); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	log := slog.New(slog.DiscardHandler)
	lb := &balancer.Client{Dir: filepath.Join(place.Run, "balancer"), Log: log}
	defer lb.Close()
	problems := lb.Stop(ctx)
	machines, err := machine.New(machine.Config{
		Dir: place.machines(), RunDir: filepath.Join(place.Run, "machines"), CgroupName: place.Name, Launcher: []string{"/proc/self/exe"},
		StopTimeout: 10 * time.Second, Log: log,
	})
	if err != nil {
		return errors.Join(problems, err)
	}
	for _, id := range machines.List() {
		problems = errors.Join(problems, machines.Stop(ctx, id, false))
	}
	problems = errors.Join(problems, machines.Close())
	net, err := network.New(
		network.PlaneConfig{RunDir: filepath.Join(place.Run, "network"), Name: place.Name, Log: log},
	)
	if err != nil {
		return errors.Join(problems, err)
	}
	return errors.Join(problems, net.Remove(ctx), net.Close())
}

// Delete deletes the state of a local cloud that is stopped. The built images
// stay unless they are to go too.
func Delete(place Place, images bool) error {
	gone := []string{place.Run, place.database(), place.machines(), place.logs(), place.credentials(), place.Log()}
	if images {
		gone = append(gone, place.images())
	}
	var problems error
	for _, path := range gone {
		if err := os.RemoveAll(path); err != nil {
			problems = errors.Join(problems, fmt.Errorf("delete %s: %w", path, err))
		}
	}
	return problems
}
