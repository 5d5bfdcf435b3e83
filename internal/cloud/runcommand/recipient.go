package runcommand

import (
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// InstancesKey is the key of targets that are instances. The key of all others is "tag:" and
// the key of a tag.
const InstancesKey = "InstanceIds"

// Recipients returns the instances that a command is for, in the order of their ids: those
// with the ids, or those that all targets select. invalid are the ids of instances without an
// agent, or which are being terminated.
func Recipients(
	r store.Reader, region identity.Region, ids []string, targets []store.CommandTarget,
) (found []*store.Instance, invalid []string) {
	for _, id := range slices.Sorted(slices.Values(ids)) {
		row, ok := managed(r, region, id)
		if !ok {
			invalid = append(invalid, id)
			continue
		}
		found = append(found, row)
	}
	if len(targets) == 0 {
		return found, invalid
	}
	for _, m := range store.ManagedInstances.InRegion(r, region) {
		row, ok := managed(r, region, m.ID)
		if ok && !slices.ContainsFunc(targets, func(t store.CommandTarget) bool { return !selects(t, row) }) {
			found = append(found, row)
		}
	}
	return found, invalid
}

// managed returns an instance to which commands can be sent.
func managed(r store.Reader, region identity.Region, id string) (*store.Instance, bool) {
	m, known := store.ManagedInstances.Get(r, id)
	row, ok := store.Instances.Get(r, id)
	return row, known && ok && m.Region == region && row.State != store.ShuttingDown && row.State != store.Terminated
}

// selects reports whether a target selects an instance.
func selects(t store.CommandTarget, row *store.Instance) bool {
	if t.Key == InstancesKey {
		return slices.Contains(t.Values, row.ID)
	}
	value, ok := row.Tags[strings.TrimPrefix(t.Key, "tag:")]
	return ok && slices.Contains(t.Values, value)
}
