//go:build linux

// Package instances runs the machines behind EC2 instances. A loop reads each
// instance's row, moves its machine one step at a time toward the desired state, and
// records the machine's state in the row.
package instances

import (
	"context"
	"log/slog"
	"maps"
	"sync"

	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/cloud/bandwidth"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/store"
)

// Machines is the part of the machine plane that the loop uses.
type Machines interface {
	Prepare(ctx context.Context, m machine.Machine) (namespace string, err error)
	Boot(ctx context.Context, id string) error
	Stop(ctx context.Context, id string, force bool) error
	Reboot(ctx context.Context, id string) error
	Remove(ctx context.Context, id string) error
	Capture(ctx context.Context, id string, images machine.Images, reboot bool) (layer string, err error)
	Status(id string) machine.Status
	List() []string
	CheckRoom() error // fails if the host's disk is full
	IsReadOnly(id string) bool
	Watch(ctx context.Context) <-chan string
}

// Network is the part of the network loop that this loop uses. Sync returns when the
// kernel's network matches the store.
type Network interface {
	Sync(ctx context.Context) error
}

// Loop drives all instances of all regions, each with its own worker. Fill the fields,
// then call Run once.
type Loop struct {
	Store    *store.Store
	Machines Machines
	Network  Network
	Log      *slog.Logger
	Manners  *manners.Set           // nil: a kind cloud
	Disks    bandwidth.Setting      // what limits the bandwidth of machines' disks
	Parallel int                    // machines that launch at the same time; 0 means defaultParallel
	Env      map[string]string      // environment variables of every machine, such as proxies
	Layer    func(id string) string // returns the folder of an image's layer

	once      sync.Once
	launching chan struct{} // a semaphore: one element for each launch in progress
	mu        sync.Mutex
	workers   map[string]*worker // by the instance's id
}

func (l *Loop) init() {
	l.once.Do(func() {
		parallel := l.Parallel
		if parallel == 0 {
			parallel = defaultParallel
		}
		l.launching = make(chan struct{}, parallel)
		l.workers = map[string]*worker{}
	})
}

// Run adopts the machines that the last run left, then drives the instances until ctx
// ends. It leaves the machines running for the next run.
func (l *Loop) Run(ctx context.Context) error {
	l.init()
	l.removeOrphans(ctx)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		for id := range l.Machines.Watch(ctx) {
			l.worker(id).notify()
		}
		return ctx.Err()
	})
	group.Go(func() error { return l.startWorkers(ctx, group) })
	group.Go(func() error { return l.repairDisks(ctx) })
	if err := group.Wait(); ctx.Err() == nil {
		return err
	}
	return nil
}

// startWorkers starts a worker for every instance, and notifies it when the instance's
// row changes.
func (l *Loop) startWorkers(ctx context.Context, group *errgroup.Group) error {
	seen := map[string]*store.Instance{}
	for {
		view := l.Store.View()
		rows := store.Instances.List(view)
		present := make(map[string]bool, len(rows))
		for _, row := range rows {
			present[row.ID] = true
			if seen[row.ID] == row {
				continue
			}
			w := l.worker(row.ID)
			if seen[row.ID] == nil {
				group.Go(func() error { l.work(ctx, w); return nil })
			}
			seen[row.ID] = row
			w.notify()
		}
		maps.DeleteFunc(seen, func(id string, _ *store.Instance) bool { return !present[id] })
		if err := view.Changed(ctx, store.Instances); err != nil {
			return err
		}
	}
}
