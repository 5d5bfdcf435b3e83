package plan

import (
	"slices"

	"aloft.dev/aloft/internal/stack"
)

// Diff returns the changes that bring the found resources to what the stack
// describes.
func Diff(desired *stack.Stack, found []Found) *Plan {
	d := &differ{
		partial: desired.Partial(),
		plan: &Plan{
			App:     desired.App,
			Region:  desired.Region,
			Release: desired.Release,
			Changes: []Change{},
			Kept:    map[string]Found{},
		},
		found: byAddress(found),
	}
	for _, r := range desired.Resources {
		d.planResource(r)
	}
	d.planDeletions(desired, found)
	return d.plan
}

// Compare compares a found resource with the desired one of its address. ok
// reports whether it can be kept, unchanged or changed in place. known are the
// resources that the desired one refers to, by address.
func Compare(r stack.Resource, f Found, known map[string]Found) (differences []Difference, ok bool) {
	d := &differ{plan: &Plan{Kept: known}}
	differences = d.differences(r, f)
	return differences, keepable(f, differences)
}

type differ struct {
	partial   bool
	plan      *Plan
	found     map[string][]Found
	deletions []Change
}

// planResource plans one address. A found resource that can be kept is kept; the
// others are deleted.
func (d *differ) planResource(r stack.Resource) {
	kind, found := r.Body.Kind(), d.found[r.Address]
	change := Change{Address: r.Address, Kind: kind, Step: r.Step, Title: r.Body.Title(), Desired: &r}
	if r.Existing != nil {
		d.plan.Kept[r.Address] = existing(r)
		d.deleteSurplus(found, "something else is in its place")
		return
	}
	if d.leaves(kind) && len(found) > 0 {
		d.plan.Kept[r.Address] = found[0]
		return
	}
	keep := slices.IndexFunc(found, func(f Found) bool { return keepable(f, d.differences(r, f)) })
	switch {
	case keep >= 0:
		current := found[keep]
		change.Action, change.ID, change.Current = Update, current.ID, &current
		if change.Differences = d.differences(r, current); len(change.Differences) > 0 {
			d.plan.Changes = append(d.plan.Changes, change)
		}
		if len(change.Differences) == 0 || !kind.Versioned() || change.OnlyTags() {
			d.plan.Kept[r.Address] = current
		}
		d.deleteSurplus(slices.Delete(slices.Clone(found), keep, keep+1), "is there twice")
		return
	case len(found) == 0 || kind == stack.KindImage: // images of other releases are kept
		change.Action, change.Differences = Create, d.initial(r)
	default:
		change.Action, change.ID, change.Reason, change.Retire = Replace, found[0].ID, found[0].Broken, found
		change.Differences = d.differences(r, found[0])
	}
	d.plan.Changes = append(d.plan.Changes, change)
}

// existing returns what stands for a resource that is not the application's.
func existing(r stack.Resource) Found {
	f := Found{Address: r.Address, Kind: r.Body.Kind(), ID: r.Existing.ID, Name: r.Address}
	f.Status.DNSName = r.Existing.DNSName
	return f
}

func keepable(f Found, differences []Difference) bool {
	return f.Broken == "" && !slices.ContainsFunc(differences, func(d Difference) bool { return d.Replaces })
}

// leaves reports whether resources of the kind are left as they are because the
// stack is partial: serving instances depend on them.
func (d *differ) leaves(k stack.Kind) bool {
	switch k {
	case stack.KindKeyPair, stack.KindConnectEndpoint, stack.KindServer, stack.KindImage,
		stack.KindEnvironment, stack.KindRole, stack.KindInstanceProfile: // a release is proven with its own
		return false
	}
	return d.partial
}

// differences compares a found resource with the desired one. A hidden attribute that a
// resource lacks is new with what another attribute names.
func (d *differ) differences(r stack.Resource, f Found) []Difference {
	var all []Difference
	for _, a := range r.Attributes() {
		desired, observed := d.resolve(a.Terms), f.Values(a.Key)
		also := len(observed) == 1 && slices.Contains(d.resolve(a.Also), observed[0])
		switch {
		case also || slices.Equal(desired, observed):
		case a.Hidden && len(observed) > 0:
			all = append(all, Difference{Key: a.Key, Hidden: true})
		case !a.Hidden:
			all = append(all, Difference{Key: a.Key, Old: observed, New: desired, Replaces: a.Fixed})
		}
	}
	return all
}

// initial returns the attributes of a new resource.
func (d *differ) initial(r stack.Resource) []Difference {
	var all []Difference
	for _, a := range r.Attributes() {
		if !a.Hidden && (!a.Optional || len(a.Terms) > 0) {
			all = append(all, Difference{Key: a.Key, New: d.resolve(a.Terms)})
		}
	}
	return all
}

// resolve returns the values of terms, with references to kept resources replaced by
// their ids. Other references remain as printed, so they differ from any id.
func (d *differ) resolve(terms []stack.Term) []string {
	var values []string
	for _, t := range terms {
		value := t.String()
		if kept, ok := d.plan.Kept[t.Ref.Address]; ok {
			value = t.Text + kept.ID
		}
		values = append(values, value)
	}
	return sortedSet(values)
}

// deleteSurplus plans deletions. Images are kept for rollbacks, and members are
// their Auto Scaling group's.
func (d *differ) deleteSurplus(surplus []Found, reason string) {
	for _, f := range surplus {
		if f.Kind != stack.KindImage && f.Kind != stack.KindMember {
			d.deletions = append(d.deletions, Deletion(f, reason))
		}
	}
}

// planDeletions plans the deletion of resources that the stack does not describe.
// If the stack is partial, these are only the other transient instances.
func (d *differ) planDeletions(desired *stack.Stack, found []Found) {
	for _, f := range found {
		transient := stack.Transient(f.Address)
		if _, ok := desired.Get(f.Address); ok || d.partial && !transient {
			continue
		}
		reason := "is not wanted any more"
		if transient {
			reason = "has done its work"
		}
		d.deleteSurplus([]Found{f}, reason)
	}
	sortForDeletion(d.deletions)
	d.plan.Changes = append(d.plan.Changes, d.deletions...)
}
