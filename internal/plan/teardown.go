package plan

import (
	"slices"
	"strings"

	"aloft.dev/aloft/internal/stack"
)

// Deletion returns the change that deletes a resource.
func Deletion(f Found, reason string) Change {
	return Change{
		Address: f.Address,
		Kind:    f.Kind,
		Action:  Delete,
		Title:   f.Label(),
		ID:      f.ID,
		Reason:  reason,
		Retire:  []Found{f},
	}
}

// Teardown plans the deletion of all found resources, of images only if images is
// set. Resources that are deleted with their owner are not listed.
func Teardown(app, region string, found []Found, images bool) *Plan {
	p := &Plan{App: app, Region: region, Changes: []Change{}}
	for _, f := range found {
		if !f.Kind.DeletedWithOwner() && (f.Kind != stack.KindImage || images) {
			p.Changes = append(p.Changes, Deletion(f, ""))
		}
	}
	sortForDeletion(p.Changes)
	return p
}

func sortForDeletion(changes []Change) {
	slices.SortStableFunc(changes, func(a, b Change) int {
		if byKind := b.Kind.Rank() - a.Kind.Rank(); byKind != 0 {
			return byKind
		}
		return strings.Compare(a.Address+a.ID, b.Address+b.ID)
	})
}
