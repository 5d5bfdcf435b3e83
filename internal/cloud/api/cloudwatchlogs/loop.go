package cloudwatchlogs

import (
	"context"
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// expiryInterval is the time between two deletions of expired events, which nobody can read
// anymore.
const expiryInterval = 10 * time.Minute

// Run runs queries and deletes events that have expired, until ctx ends.
func (a *API) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { a.runQueries(ctx) })
	ticker := time.NewTicker(expiryInterval)
	defer ticker.Stop()
	for {
		a.expire()
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// DeleteLeftovers deletes the events of streams that do not exist, which a killed daemon
// has left. No operation may run meanwhile.
func (a *API) DeleteLeftovers() error {
	known := map[string]bool{}
	for _, s := range store.LogStreams.List(a.Store.View()) {
		known[s.ID] = true
	}
	return a.Events.Retain(func(id string) bool { return known[id] })
}

func (a *API) expire() {
	view := a.Store.View()
	for _, group := range store.LogGroups.List(view) {
		before := retained(group, a.Now())
		if before == 0 {
			continue
		}
		for _, s := range store.LogStreamsByGroup.List(view, store.LogGroupKey(group.Region, group.Name)) {
			if err := a.Events.Expire(s.ID, time.UnixMilli(before)); err != nil {
				a.Log.Warn("delete expired log events", "group", group.Name, "error", err)
			}
		}
	}
}
