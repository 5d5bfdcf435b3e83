package apply

import (
	"cmp"
	"fmt"
	"slices"

	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// surplusImages plans the end of images, with their snapshots, beyond those
// that are kept: of the release that is wanted, then of releases that were good,
// then of others, the youngest first. One that a machine may need stays: of a
// release that serves, of one under way, and of the one that a rollback goes to.
func surplusImages(found []plan.Found, all []history.Record, release string, keep int) *plan.Plan {
	needed := map[string]bool{release: true}
	for _, f := range found {
		if isMachine(f) || stack.Transient(f.Address) {
			needed[f.Get("release")] = true
		}
	}
	for _, r := range []*history.Record{history.Current(all), history.Unfinished(all), history.Previous(all, release)} {
		if r != nil {
			needed[r.Release] = true
		}
	}
	good := map[string]int{} // the last record of a release that came into service
	for _, r := range all {
		if r.Result == history.Released || r.Result == history.RolledBack {
			good[r.Release] = r.Number
		}
	}
	var images []plan.Found
	for _, f := range found {
		if f.Kind == stack.KindImage {
			images = append(images, f)
		}
	}
	first := func(f plan.Found) int {
		if needed[f.Get("release")] {
			return 0
		}
		return 1
	}
	slices.SortFunc(images, func(a, b plan.Found) int {
		return cmp.Or(cmp.Compare(first(a), first(b)), cmp.Compare(good[b.Get("release")], good[a.Get("release")]),
			cmp.Compare(b.Created, a.Created), cmp.Compare(a.ID, b.ID))
	})
	p := &plan.Plan{Changes: []plan.Change{}}
	for i, f := range images {
		if i >= keep && !needed[f.Get("release")] {
			p.Changes = append(p.Changes, plan.Deletion(f, fmt.Sprintf("%d others are kept", i)))
		}
	}
	return p
}
