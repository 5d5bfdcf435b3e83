package apply

import (
	"cmp"
	"fmt"
	"slices"

	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// surplusImages plans the deletion of images, with their snapshots, beyond the
// number to keep. The desired release's image is kept first, then those of releases
// that came into service, then others, the newest first. An image that an instance
// may need is always kept: of a release that serves, of one being deployed, and of
// the one that a rollback returns to.
func surplusImages(found []plan.Found, all []history.Record, release string, keep int) *plan.Plan {
	needed := neededReleases(found, all, release)
	served := map[string]int{} // last record of each release that came into service
	for _, r := range all {
		if r.Served() {
			served[r.Release] = r.Number
		}
	}
	var images []plan.Found
	for _, f := range found {
		if f.Kind == stack.KindImage {
			images = append(images, f)
		}
	}
	releaseOf := func(f plan.Found) string { return f.Value(stack.AttrRelease) }
	priority := func(f plan.Found) int {
		if needed[releaseOf(f)] {
			return 0
		}
		return 1
	}
	slices.SortFunc(images, func(a, b plan.Found) int {
		return cmp.Or(
			cmp.Compare(priority(a), priority(b)),
			cmp.Compare(served[releaseOf(b)], served[releaseOf(a)]),
			cmp.Compare(b.Created, a.Created),
			cmp.Compare(a.ID, b.ID),
		)
	})
	p := &plan.Plan{Changes: []plan.Change{}}
	for i, f := range images {
		if i >= keep && !needed[releaseOf(f)] {
			p.Changes = append(p.Changes, plan.Deletion(f, fmt.Sprintf("%d others are kept", i)))
		}
	}
	return p
}

// neededReleases returns the releases whose images an instance may need.
func neededReleases(found []plan.Found, all []history.Record, release string) map[string]bool {
	needed := map[string]bool{release: true}
	for _, f := range found {
		if isServer(f) || stack.Transient(f.Address) {
			needed[f.Value(stack.AttrRelease)] = true
		}
	}
	for _, r := range []*history.Record{
		history.Current(all), history.Unfinished(all), history.PreviousRelease(all, release),
	} {
		if r != nil {
			needed[r.Release] = true
		}
	}
	return needed
}
