//go:build linux

// Package endpoints completes what takes its time with the endpoints of VPCs: the deletion of EC2
// Instance Connect Endpoints, and the creation and the deletion of interface endpoints.
package endpoints

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/store"
)

// retryDelay is the pause after an error.
const retryDelay = time.Second

// Network is the part of the network loop that this loop uses. Sync returns when the kernel's
// network matches the store.
type Network interface {
	Sync(ctx context.Context) error
}

// Loop takes the next step of endpoints once its time has come. Fill the fields, then call Run.
type Loop struct {
	Store   *store.Store
	Network Network
	Log     *slog.Logger
}

// Run drives the endpoints until ctx ends.
func (l *Loop) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		view := l.Store.View()
		next, err := l.advance(ctx, view, time.Now())
		if err != nil && ctx.Err() == nil {
			l.Log.Error("drive the endpoints of VPCs", "error", err)
			next = time.Now().Add(retryDelay)
		}
		bounded, cancel := ctx, context.CancelFunc(func() {})
		if !next.IsZero() {
			bounded, cancel = context.WithDeadline(ctx, next)
		}
		// At the end of either, look again.
		_ = view.Changed(bounded, store.InstanceConnectEndpoints, store.VPCEndpoints)
		cancel()
	}
	return nil
}

// steps are the steps that are due at a time.
type steps struct {
	now     time.Time
	next    time.Time // when there is more to do; zero: never
	connect []*store.InstanceConnectEndpoint
	create  []*store.VPCEndpoint
	remove  []*store.VPCEndpoint
}

// isDue reports whether the time of a step has come, and notes it otherwise.
func (s *steps) isDue(at time.Time) bool {
	if !at.After(s.now) {
		return true
	}
	if s.next.IsZero() || at.Before(s.next) {
		s.next = at
	}
	return false
}

// due returns the steps that are due.
func due(r store.Reader, now time.Time) *steps {
	s := &steps{now: now}
	for _, row := range store.InstanceConnectEndpoints.List(r) {
		if row.Deleting && s.isDue(row.GoneAt) {
			s.connect = append(s.connect, row)
		}
	}
	for _, row := range store.VPCEndpoints.List(r) {
		switch {
		case row.State == store.EndpointPending && s.isDue(row.SettledAt):
			s.create = append(s.create, row)
		case row.State == store.EndpointDeleting && s.isDue(row.SettledAt):
			s.remove = append(s.remove, row)
		}
	}
	return s
}

// advance takes the steps that are due, and returns when the next one is; zero: none is known.
func (l *Loop) advance(ctx context.Context, r store.Reader, now time.Time) (next time.Time, err error) {
	s := due(r, now)
	if len(s.connect)+len(s.create)+len(s.remove) == 0 {
		return s.next, nil
	}
	if len(s.create) > 0 {
		if err := l.Network.Sync(ctx); err != nil {
			return s.next, fmt.Errorf("connect interface endpoints: %w", err)
		}
	}
	return s.next, l.Store.Update(func(tx *store.Tx) error {
		for _, row := range s.connect {
			store.InstanceConnectEndpoints.Delete(tx, row.ID)
			store.NetworkInterfaces.Delete(tx, row.InterfaceID)
		}
		for _, row := range s.create {
			present, ok := store.VPCEndpoints.Get(tx, row.ID)
			if ok && present.State == store.EndpointPending {
				available := *present
				available.State = store.EndpointAvailable
				store.VPCEndpoints.Put(tx, &available)
			}
		}
		for _, row := range s.remove {
			for _, id := range row.InterfaceIDs {
				addressing.DeleteInterface(tx, id)
			}
			store.VPCEndpoints.Delete(tx, row.ID)
		}
		return nil
	})
}
