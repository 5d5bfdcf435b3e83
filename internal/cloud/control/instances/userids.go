//go:build linux

package instances

import (
	"slices"

	"aloft.dev/aloft/internal/cloud/store"
)

// Each machine maps its users to a range of the host's user ids. The ranges avoid the
// host's own users and those that container managers map (systemd, Users, Groups, UIDs
// and GIDs on systemd systems: containers have 0x80000 to 0x6fffffff).
const (
	userIDsPerMachine = 1 << 16
	firstUserID       = 0x10000000
)

// assignUserIDs gives the instance a range of user ids that no other live instance has.
func (l *Loop) assignUserIDs(id string) error {
	return l.Store.Update(func(tx *store.Tx) error {
		row, ok := store.Instances.Get(tx, id)
		if !ok || row.UIDBase != 0 {
			return nil
		}
		var assigned []uint32
		for _, other := range store.Instances.List(tx) {
			assigned = append(assigned, other.UIDBase)
		}
		base := uint32(firstUserID)
		for slices.Contains(assigned, base) {
			base += userIDsPerMachine
		}
		store.Instances.Edit(tx, id, func(row *store.Instance) { row.UIDBase = base })
		return nil
	})
}
