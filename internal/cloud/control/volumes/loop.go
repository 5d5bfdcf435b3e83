//go:build linux

// Package volumes keeps the files with the contents of EBS volumes and snapshots. A loop creates
// the files of new rows, lets those of grown volumes grow, copies volumes to snapshots and deletes
// what has no row.
package volumes

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/cloud/store"
)

// Files are contents, by the ids of their volumes and snapshots.
type Files interface {
	// Create creates a content of a size, as a copy of another unless from is empty.
	Create(ctx context.Context, id string, gib int, from string) error
	Grow(id string, gib int) error
	Path(id string) string
	Remove(id string) error
	List() ([]string, error)
}

// Machines is the part of the machine plane that the loop uses.
type Machines interface {
	CheckRoom() error // fails if the host's disk is full
	// CopyVolume calls do, which copies the file of a volume, while its machine does not write.
	CopyVolume(ctx context.Context, machine, volume string, do func(context.Context) error) error
	ResizeVolume(file string) error // after its file has grown
}

// retryDelay is the time between attempts to delete a file, or to let one grow.
const retryDelay = 10 * time.Second

// Loop makes files match the volumes and snapshots of all regions. Fill the fields, then call Run
// once.
type Loop struct {
	Store    *store.Store
	Files    Files
	Machines Machines
	Log      *slog.Logger

	mu   sync.Mutex
	busy map[string]bool // ids on whose files somebody works
	look func()          // makes the loop look for jobs
}

// Run works until ctx ends. What it did not complete, the next run does.
func (l *Loop) Run(ctx context.Context) error {
	l.busy = map[string]bool{}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		for {
			l.startJobs(ctx, group)
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	})
	err := group.Wait()
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// startJobs starts what is to do, and returns when there may be more: rows have changed, a job has
// ended, or one that failed is due again.
func (l *Loop) startJobs(ctx context.Context, group *errgroup.Group) {
	waiting, look := context.WithCancel(ctx)
	defer look()
	l.mu.Lock()
	l.look = look
	l.mu.Unlock()
	view := l.Store.View()
	jobs := l.jobs(view)
	for _, j := range jobs {
		l.start(ctx, group, j)
	}
	if len(jobs) > 0 {
		var cancel func()
		waiting, cancel = context.WithTimeout(waiting, retryDelay)
		defer cancel()
	}
	_ = view.Changed(waiting, store.Volumes, store.Snapshots) // the caller checks its own context
}

// job is one thing to do for a volume or a snapshot.
type job struct {
	id   string
	what string
	do   func(ctx context.Context) error
}

// jobs returns what is to do.
func (l *Loop) jobs(r store.Reader) (jobs []job) {
	rows := map[string]bool{} // ids whose files stay
	for _, v := range store.Volumes.List(r) {
		rows[v.ID] = true
		switch {
		case v.State == store.VolumeCreating:
			jobs = append(jobs, job{v.ID, "create", func(ctx context.Context) error { return l.create(ctx, v) }})
		case v.FileGiB > 0 && v.FileGiB < v.SizeGiB:
			jobs = append(jobs, job{v.ID, "grow", func(context.Context) error { return l.grow(v) }})
		}
	}
	for _, s := range store.Snapshots.List(r) {
		rows[s.ID] = true
		if s.InFile && s.State == pending {
			rows[sourceOf(s)] = true // it may be deleted meanwhile
			jobs = append(jobs, job{s.ID, "copy", func(ctx context.Context) error { return l.copy(ctx, s) }})
		}
	}
	files, err := l.Files.List()
	if err != nil {
		l.Log.Warn("list the files of volumes", "error", err)
	}
	for _, id := range files {
		if !rows[id] {
			jobs = append(jobs, job{id, "delete", func(context.Context) error { return l.Files.Remove(id) }})
		}
	}
	return jobs
}

// start does a job beside others, unless somebody works on the same file.
func (l *Loop) start(ctx context.Context, group *errgroup.Group, j job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy[j.id] {
		return
	}
	l.busy[j.id] = true
	group.Go(func() error {
		err := j.do(ctx)
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.busy, j.id)
		if err == nil {
			l.look()
		} else if ctx.Err() == nil {
			l.Log.Warn(j.what+" the file of a volume", "id", j.id, "error", err)
		}
		return nil
	})
}
