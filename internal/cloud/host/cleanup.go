//go:build linux

package host

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/egress"
	"aloft.dev/aloft/internal/cloud/plane/filetree"
	"aloft.dev/aloft/internal/cloud/plane/image"
	"aloft.dev/aloft/internal/cloud/plane/linklocal"
	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/plane/network"
)

// shutdownTimeout is how long RemoveLeftovers lets a machine shut down.
const shutdownTimeout = 10 * time.Second

// RemoveLeftovers stops the machines and removes the networks and load balancers
// that a killed daemon left running. The local cloud's state stays.
func RemoveLeftovers(ctx context.Context, layout Layout) error {
	if _, err := os.Stat(layout.RunDir); layout.Simulated || errors.Is(err, os.ErrNotExist) {
		return nil
	}
	log := slog.New(slog.DiscardHandler)
	lb := &balancer.Client{Dir: layout.BalancerRun(), Log: log}
	defer lb.Close()
	problems := lb.Stop(ctx)
	machines, err := openMachines(layout, log)
	if err != nil {
		return errors.Join(problems, err)
	}
	for _, id := range machines.List() {
		problems = errors.Join(problems, machines.Stop(ctx, id, false))
	}
	problems = errors.Join(problems, machines.Close())
	networks, err := network.New(network.PlaneConfig{
		RunDir: layout.NetworkRun(), Name: layout.Prefix, Log: log,
		Egress:    egress.NewClient(layout.EgressRun(), nil, nil, log),
		LinkLocal: linklocal.NewClient(linklocal.Config{Dir: layout.LinkLocalRun(), Log: log}),
	})
	if err != nil {
		return errors.Join(problems, err)
	}
	return errors.Join(problems, networks.Remove(ctx), networks.Close())
}

// openMachines opens the machines of a local cloud whose daemon does not run. It
// can list and stop machines, not boot them.
func openMachines(layout Layout, log *slog.Logger) (*machine.Plane, error) {
	return machine.New(machine.Config{
		Dir:         layout.Machines(),
		RunDir:      layout.MachineRun(),
		CgroupName:  layout.Prefix,
		Launcher:    []string{"/proc/self/exe"},
		StopTimeout: shutdownTimeout,
		Log:         log,
	})
}

// Delete deletes the state of a stopped local cloud. It keeps the base images
// unless images is set.
func Delete(ctx context.Context, layout Layout, images bool) error {
	paths := []string{
		layout.RunDir, layout.Database(), layout.Machines(), layout.Volumes(), layout.AccessLogs(), layout.Outbox(),
		layout.credentials(), layout.Log(), layout.manners(), layout.reach(), layout.bandwidth(), layout.sealKey(),
		layout.olderLog(), layout.mark(), layout.sessionKey(), layout.LogEvents(), layout.Metrics(),
		layout.Authority(), layout.AuthorityRoot(), layout.PublicRoot(), layout.Objects(),
	}
	var problems error
	if images {
		paths = append(paths, layout.Images())
	} else {
		problems = removeCaptured(ctx, layout.Images())
	}
	for _, path := range paths {
		problems = errors.Join(problems, filetree.Remove(ctx, path))
	}
	return problems
}

// removeCaptured deletes the layers in a folder of images that are not of base images.
func removeCaptured(ctx context.Context, folder string) error {
	if _, err := os.Stat(folder); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	images, err := image.Open(folder)
	if err != nil {
		return err
	}
	return images.RemoveCaptured(ctx)
}
