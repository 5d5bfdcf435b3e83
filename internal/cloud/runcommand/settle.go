package runcommand

import (
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// Settle ends the invocations of a command that no reply ends: those that have expired, whose
// instance is gone, or that must not start after too many errors. It returns when the command
// changes next although nobody changes it; zero once it is done.
func Settle(tx *store.Tx, c *store.Command, now time.Time) (next time.Time) {
	all := Invocations(tx, c)
	stop := count(all).tooManyErrors(c)
	next = c.Expires()
	done := true
	for _, i := range all {
		if Ended(i) {
			continue
		}
		row := settled(tx, c, i, now, stop)
		if row != i {
			store.CommandInvocations.Put(tx, row)
		}
		if Ended(row) {
			continue
		}
		done = false
		if at := changes(row, now); !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	if !done {
		return next
	}
	store.Commands.Edit(tx, store.CommandKey(c.Region, c.ID), func(row *store.Command) { row.Done = true })
	return time.Time{}
}

// changes returns when time alone changes an invocation; zero: not before it expires.
func changes(i *store.CommandInvocation, now time.Time) time.Time {
	switch late := i.Requested.Add(delayed); {
	case i.Status == Cancelling && !i.Acknowledged:
		return i.VisibleAt
	case i.Status == Pending && !i.Sent && late.After(now):
		return late
	}
	return time.Time{}
}

// settled returns an invocation, or a changed copy of it.
func settled(
	r store.Reader, c *store.Command, i *store.CommandInvocation, now time.Time, stop bool,
) *store.CommandInvocation {
	instance, ok := store.Instances.Get(r, i.InstanceID)
	switch {
	case !ok || instance.State == store.Terminated:
		return end(i, Failed, Undeliverable)
	case !now.Before(c.Expires()):
		return end(i, TimedOut, DeliveryTimedOut)
	case i.Status == Cancelling && !i.Acknowledged && !i.VisibleAt.After(now):
		return end(i, Cancelled, Cancelled)
	case i.Status != Pending || i.Sent:
		return i
	case stop:
		return end(i, Cancelled, Terminated)
	case i.Details == Pending && !now.Before(i.Requested.Add(delayed)) && mayStart(r, i, now):
		return end(i, Pending, Delayed)
	}
	return i
}

// Forget deletes the commands that are too old, and the oldest of too many. It returns when
// the next becomes too old; zero: none does.
func Forget(tx *store.Tx, now time.Time) (next time.Time) {
	rows := byAge(store.Commands.List(tx))
	for n, c := range rows {
		old := c.Requested.Add(Kept)
		switch {
		case c.Done && (!now.Before(old) || len(rows)-n > KeptMost):
			for _, i := range Invocations(tx, c) {
				store.CommandInvocations.Delete(tx, store.CommandInvocationKey(i.Region, i.CommandID, i.InstanceID))
			}
			store.Commands.Delete(tx, store.CommandKey(c.Region, c.ID))
		case c.Done && next.IsZero():
			next = old
		}
	}
	return next
}

// byAge sorts commands, the oldest first.
func byAge(rows []*store.Command) []*store.Command {
	slices.SortStableFunc(rows, func(a, b *store.Command) int { return a.Requested.Compare(b.Requested) })
	return rows
}
