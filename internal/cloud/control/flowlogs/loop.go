//go:build linux

// Package flowlogs delivers flow logs: once a minute it asks the networks what they recorded, and
// writes records about it to log groups and buckets.
package flowlogs

import (
	"context"
	"io"
	"log/slog"
	"time"

	"aloft.dev/aloft/internal/cloud/bucketpolicy"
	"aloft.dev/aloft/internal/cloud/eventlog"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/store"
)

// Network records flows.
type Network interface {
	// Recorded returns what was recorded since the last call.
	Recorded() (firewall.Recorded, error)
}

// Logs takes records for log groups.
type Logs interface {
	Deliver(region identity.Region, group, stream string, events []eventlog.Event) error
}

// Buckets takes files with records.
type Buckets interface {
	Deliver(d bucketpolicy.Delivery, log io.Reader) error
}

// interval is the time between two deliveries, and the longest time that a record is about. All
// instances are as those based on Nitro, for which a flow log's own interval of ten minutes is one
// minute too (Amazon EC2 API Reference, CreateFlowLogs).
const interval = time.Minute

// Loop delivers the flow logs of all regions. Fill the fields, then call Run once.
type Loop struct {
	Store   *store.Store
	Network Network // nil: nothing carries packets
	Logs    Logs
	Buckets Buckets
	// MayWrite reports whether the service may write to a log group with a role.
	MayWrite func(r store.Reader, role *store.Role, region identity.Region, group string) (bool, error)
	Log      *slog.Logger
	IDs      *identity.Source // nil: a random one

	started, last time.Time
	// used are the network interfaces that flow logs recorded and something used since the last
	// delivery, by id, each as it was last: an interface that is gone has records.
	used map[string]*store.NetworkInterface
}

// Run delivers until ctx ends, and once more then.
func (l *Loop) Run(ctx context.Context) error {
	if l.IDs == nil {
		l.IDs = identity.New(nil)
	}
	l.started = time.Now()
	l.last, l.used = l.started, map[string]*store.NetworkInterface{}
	next := l.last.Truncate(interval).Add(interval)
	for ctx.Err() == nil {
		view := l.Store.View()
		l.remember(view)
		bounded, cancel := context.WithDeadline(ctx, next)
		err := view.Changed(bounded, store.NetworkInterfaces, store.FlowLogs)
		cancel()
		if now := time.Now(); err != nil {
			l.deliver(now)
			next = now.Truncate(interval).Add(interval)
		}
	}
	return nil
}

// remember adds to the interfaces that have records.
func (l *Loop) remember(view store.Reader) {
	for _, row := range store.FlowLogs.List(view) {
		for _, eni := range interfacesOf(view, row.ResourceID) {
			if eni.State == "in-use" {
				l.used[eni.ID] = eni
			}
		}
	}
}

// deliver writes what happened since the last time.
func (l *Loop) deliver(now time.Time) {
	defer func() { l.last, l.used = now, map[string]*store.NetworkInterface{} }()
	// What was recorded for flow logs that are deleted is read too, or it would stay.
	var recorded firewall.Recorded
	if l.Network != nil {
		var err error
		if recorded, err = l.Network.Recorded(); err != nil {
			l.Log.Warn("read recorded flows", "error", err)
		}
	}
	view := l.Store.View()
	l.remember(view)
	flows := map[string][]firewall.Record{}
	for _, record := range recorded.Records {
		flows[record.Interface] = append(flows[record.Interface], record)
	}
	changes := map[string]*string{} // of the failures of flow logs, by id; nil: what it records is gone
	for _, row := range store.FlowLogs.List(view) {
		failure := ""
		if err := l.write(view, row, now, flows, recorded.Skipped); err != nil {
			failure = failureOf(err)
			l.Log.Warn("deliver a flow log", "log", row.ID, "error", err)
		}
		switch {
		case !l.hasResource(view, row):
			changes[row.ID] = nil
		case failure != row.Failure:
			changes[row.ID] = &failure
		}
	}
	if err := l.record(changes); err != nil {
		l.Log.Error("record how flow logs were delivered", "error", err)
	}
}

// hasResource reports whether what a flow log records still exists.
func (l *Loop) hasResource(view store.Reader, row *store.FlowLog) bool {
	_, isVPC := store.VPCs.Get(view, row.ResourceID)
	_, isSubnet := store.Subnets.Get(view, row.ResourceID)
	_, isInterface := store.NetworkInterfaces.Get(view, row.ResourceID)
	return isVPC || isSubnet || isInterface
}

// record writes how deliveries ended, and deletes the flow logs of what is gone.
func (l *Loop) record(changes map[string]*string) error {
	if len(changes) == 0 {
		return nil
	}
	return l.Store.Update(func(tx *store.Tx) error {
		for id, failure := range changes {
			old, ok := store.FlowLogs.Get(tx, id)
			switch {
			case !ok:
			case failure == nil:
				store.FlowLogs.Delete(tx, id)
			default:
				row := *old
				row.Failure = *failure
				store.FlowLogs.Put(tx, &row)
			}
		}
		return nil
	})
}
