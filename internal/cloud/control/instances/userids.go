//go:build linux

package instances

import (
	"errors"

	"aloft.dev/aloft/internal/cloud/store"
)

// Each machine maps its users to a range of the host's user ids. The ranges avoid the
// host's own users and those that container managers map (systemd, Users, Groups, UIDs
// and GIDs on systemd systems: containers have 0x80000 to 0x6fffffff), and end before those
// that do not fit into a signed number.
const (
	userIDsPerMachine = 1 << 16
	firstUserID       = 0x10000000
	ranges            = (0x7ffe0000 - firstUserID) / userIDsPerMachine
)

var errNoUserIDs = errors.New("all ranges of user ids are in use")

// assignUserIDs gives the instance a range of user ids that no other live instance has.
func (l *Loop) assignUserIDs(id string) error {
	full := false
	err := l.Store.Batch(func(tx *store.Tx) {
		row, ok := store.Instances.Get(tx, id)
		if !ok || row.UIDBase != 0 {
			return
		}
		if len(l.freeUserIDs) == 0 {
			l.freeUserIDs = freeUserIDs(tx)
		}
		if full = len(l.freeUserIDs) == 0; full {
			return
		}
		base := l.freeUserIDs[0]
		l.freeUserIDs = l.freeUserIDs[1:]
		store.Instances.Edit(tx, id, func(row *store.Instance) { row.UIDBase = base })
	})
	if full {
		return errNoUserIDs
	}
	return err
}

// freeUserIDs returns the beginnings of the ranges that no instance has.
func freeUserIDs(r store.Reader) []uint32 {
	used := map[uint32]bool{}
	for _, row := range store.Instances.List(r) {
		used[row.UIDBase] = true
	}
	var free []uint32
	for n := range uint32(ranges) {
		if base := firstUserID + n*userIDsPerMachine; !used[base] {
			free = append(free, base)
		}
	}
	return free
}
