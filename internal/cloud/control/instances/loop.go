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
	AttachVolume(ctx context.Context, id string, v machine.Volume) error
	DetachVolume(ctx context.Context, id, volume string, force bool) (gone bool, err error)
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

// Loop drives all instances of all regions, each with a worker that takes its steps. Fill
// the fields, then call Run once.
type Loop struct {
	Store    *store.Store
	Machines Machines
	Network  Network
	Log      *slog.Logger
	Manners  *manners.Set           // nil: a kind cloud
	Disks    bandwidth.Setting      // what limits the bandwidth of machines' disks
	Networks bandwidth.Setting      // and of their networks, as far as their packets go
	Parallel int                    // machines that launch at the same time; 0 means defaultParallel
	Env      map[string]string      // environment variables of every machine with IPv4, such as proxies
	EnvIPv6  map[string]string      // and of every machine without
	Layer    func(id string) string // returns the folder of an image's layer
	Volume   func(id string) string // returns the file with a volume's content

	once      sync.Once
	launching chan struct{} // a semaphore: one element for each launch in progress
	// freeUserIDs are ranges that were free once and have not been assigned since.
	// Transactions guard it.
	freeUserIDs []uint32

	mu      sync.Mutex
	workers map[string]*worker // by the instance's id
	due     []*worker          // those to start
	isDue   chan struct{}      // capacity 1: due is not empty
}

func (l *Loop) init() {
	l.once.Do(func() {
		parallel := l.Parallel
		if parallel == 0 {
			parallel = defaultParallel
		}
		l.launching = make(chan struct{}, parallel)
		l.workers, l.isDue = map[string]*worker{}, make(chan struct{}, 1)
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
			l.notify(id)
		}
		return ctx.Err()
	})
	group.Go(func() error { return l.startWorkers(ctx, group) })
	group.Go(func() error { return l.followRows(ctx) })
	group.Go(func() error { return l.repairDisks(ctx) })
	err := group.Wait()
	l.stopTimers()
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// followRows notifies the worker of every instance whose row changes, or that of a volume or of the
// replacement of its root volume.
func (l *Loop) followRows(ctx context.Context) error {
	seen := map[string]*store.Instance{}
	volumes := map[string]*store.Volume{}
	for {
		view := l.Store.View()
		volumes = l.followVolumes(view, volumes)
		l.followReplacements(view)
		rows := store.Instances.List(view)
		for _, row := range rows {
			if seen[row.ID] != row {
				seen[row.ID] = row
				l.notify(row.ID)
			}
		}
		if len(seen) > len(rows) {
			maps.DeleteFunc(seen, func(id string, _ *store.Instance) bool {
				_, present := store.Instances.Get(view, id)
				return !present
			})
		}
		if err := view.Changed(ctx, store.Instances, store.Volumes, store.RootReplacements); err != nil {
			return err
		}
	}
}
