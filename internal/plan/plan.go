// Package plan is the difference between what a stack wants and what the cloud
// holds: changes in the order of the graph. It is a pure function's result, so
// that it can be printed, tested and kept.
package plan

import (
	"fmt"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/stack"
)

// Action is what is to be done at an address.
type Action string

// The actions.
const (
	Create  Action = "create"
	Update  Action = "update"
	Replace Action = "replace" // make another, and delete the old once nothing refers to it
	Delete  Action = "delete"
)

// Difference is an attribute whose value is to change.
type Difference struct {
	Name     string   `json:"name"`
	Old      []string `json:"old,omitempty"`
	New      []string `json:"new,omitempty"`
	Replaces bool     `json:"replaces,omitempty"` // cannot be changed in place
}

// Change is what is to be done at one address.
type Change struct {
	Address     string       `json:"address"`
	Kind        stack.Kind   `json:"kind"`
	Action      Action       `json:"action"`
	Step        string       `json:"step,omitempty"`
	Title       string       `json:"title"`
	ID          string       `json:"id,omitempty"` // of what is there
	Reason      string       `json:"reason,omitempty"`
	Phase       stack.Phase  `json:"phase,omitempty"` // of a release that the change belongs to
	Differences []Difference `json:"differences,omitempty"`

	Desired *stack.Resource `json:"-"` // nil for Delete
	Current *Found          `json:"-"` // what is kept: for Update
	Retire  []Found         `json:"-"` // what is to go: for Replace and Delete
}

// Plan is all changes, each after those that it depends on, deletions last.
type Plan struct {
	App     string   `json:"app"`
	Region  string   `json:"region"`
	Release string   `json:"release"`
	Changes []Change `json:"changes"`

	Kept map[string]Found `json:"-"` // what stays, by address
}

// Empty tells that there is nothing to do.
func (p *Plan) Empty() bool { return len(p.Changes) == 0 }

// Count tells how many changes have the action.
func (p *Plan) Count(action Action) int {
	n := 0
	for _, c := range p.Changes {
		if c.Action == action {
			n++
		}
	}
	return n
}

// Get finds the change at an address that makes or keeps something there.
func (p *Plan) Get(address string) (Change, bool) {
	for _, c := range p.Changes {
		if c.Address == address && c.Action != Delete {
			return c, true
		}
	}
	return Change{}, false
}

// Diff compares a stack with what the cloud holds.
func Diff(want *stack.Stack, found []Found) *Plan {
	d := &differ{
		part: want.Part(),
		plan: &Plan{
			App:     want.App,
			Region:  want.Region,
			Release: want.Release,
			Changes: []Change{},
			Kept:    map[string]Found{},
		},
		groups: byAddress(found),
	}
	for _, r := range want.Resources {
		d.resource(r)
	}
	d.rest(want, found)
	return d.plan
}

type differ struct {
	part   bool
	plan   *Plan
	groups map[string][]Found
	last   []Change // deletions of surplus
}

// resource plans one address. What is there and can stay, stays; the rest goes.
func (d *differ) resource(r stack.Resource) {
	there := d.groups[r.Address]
	change := Change{Address: r.Address, Kind: r.Body.Kind(), Step: r.Step, Title: r.Body.Title(), Desired: &r}
	if d.leaves(r.Body.Kind()) && len(there) > 0 {
		d.plan.Kept[r.Address] = there[0]
		return
	}
	keep := slices.IndexFunc(there, func(f Found) bool { return stays(f, d.differences(r, f)) })
	switch {
	case keep >= 0:
		current := there[keep]
		change.Action, change.ID, change.Current = Update, current.ID, &current
		if change.Differences = d.differences(r, current); len(change.Differences) > 0 {
			d.plan.Changes = append(d.plan.Changes, change)
		}
		if len(change.Differences) == 0 || !stack.Versioned(r.Body.Kind()) {
			d.plan.Kept[r.Address] = current
		}
		d.surplus(slices.Delete(slices.Clone(there), keep, keep+1), "is there twice")
		return
	case len(there) == 0 || r.Body.Kind() == stack.KindImage: // images of other releases are kept
		change.Action, change.Differences = Create, d.fresh(r)
	default:
		change.Action, change.ID, change.Reason, change.Retire = Replace, there[0].ID, there[0].Broken, there
		change.Differences = d.differences(r, there[0])
	}
	d.plan.Changes = append(d.plan.Changes, change)
}

// Compare compares one thing found with what is wanted at its address, and tells
// whether it can stay, as it is or changed in place. known is what stands at the
// addresses that the resource refers to.
func Compare(r stack.Resource, f Found, known map[string]Found) (differences []Difference, ok bool) {
	d := &differ{plan: &Plan{Kept: known}}
	differences = d.differences(r, f)
	return differences, stays(f, differences)
}

func stays(f Found, differences []Difference) bool {
	return f.Broken == "" && !slices.ContainsFunc(differences, func(d Difference) bool { return d.Replaces })
}

// leaves tells of a kind that a part of a stack takes as it stands: others
// stand on it, and serve.
func (d *differ) leaves(k stack.Kind) bool {
	return d.part && k != stack.KindKeyPair && k != stack.KindServer && k != stack.KindImage
}

// differences compares one thing found with what is wanted.
func (d *differ) differences(r stack.Resource, f Found) []Difference {
	var all []Difference
	for _, a := range r.Body.Attributes() {
		want := d.resolve(a)
		old := f.Values[a.Name]
		if also := len(old) == 1 && slices.Contains(a.Also, old[0]); !also && !slices.Equal(want, old) {
			all = append(all, Difference{Name: a.Name, Old: old, New: want, Replaces: a.Fixed})
		}
	}
	return all
}

// fresh is the attributes of something new.
func (d *differ) fresh(r stack.Resource) []Difference {
	var all []Difference
	for _, a := range r.Body.Attributes() {
		all = append(all, Difference{Name: a.Name, New: d.resolve(a)})
	}
	return all
}

// resolve gives an attribute's values, with the ids of what stays in place of
// references to it. References to what is still to be made remain as they are,
// and so differ from any id.
func (d *differ) resolve(a stack.Attribute) []string {
	var values []string
	for _, t := range a.Terms {
		value := t.String()
		if kept, ok := d.plan.Kept[t.Ref.Address]; ok {
			value = t.Text + kept.ID
		}
		values = append(values, value)
	}
	return set(values)
}

func (d *differ) surplus(extra []Found, reason string) {
	for _, f := range extra {
		if f.Kind != stack.KindImage && f.Kind != stack.KindMember {
			d.last = append(d.last, Deletion(f, reason))
		}
	}
}

// rest plans the deletion of what the stack does not want; of a part, that is
// the other transient machines.
func (d *differ) rest(want *stack.Stack, found []Found) {
	for _, f := range found {
		if _, ok := want.Get(f.Address); !ok && (!d.part || stack.Transient(f.Address)) {
			reason := "is not wanted any more"
			if stack.Transient(f.Address) {
				reason = "has done its work"
			}
			d.surplus([]Found{f}, reason)
		}
	}
	sortForDeletion(d.last)
	d.plan.Changes = append(d.plan.Changes, d.last...)
}

// Deletion is the change that deletes one thing.
func Deletion(f Found, reason string) Change {
	return Change{
		Address: f.Address,
		Kind:    f.Kind,
		Action:  Delete,
		Title:   Label(f),
		ID:      f.ID,
		Reason:  reason,
		Retire:  []Found{f},
	}
}

// Teardown plans the deletion of everything found; of images only when asked.
// Targets go with their group, as machines and policies do with theirs.
func Teardown(app, region string, found []Found, images bool) *Plan {
	p := &Plan{App: app, Region: region, Changes: []Change{}}
	for _, f := range found {
		if !stack.GoesAlong(f.Kind) && (f.Kind != stack.KindImage || images) {
			p.Changes = append(p.Changes, Deletion(f, ""))
		}
	}
	sortForDeletion(p.Changes)
	return p
}

func sortForDeletion(changes []Change) {
	slices.SortStableFunc(changes, func(a, b Change) int {
		if byKind := stack.Rank(b.Kind) - stack.Rank(a.Kind); byKind != 0 {
			return byKind
		}
		return strings.Compare(a.Address+a.ID, b.Address+b.ID)
	})
}

// Label names a found thing to a person.
func Label(f Found) string {
	if f.Name != "" && f.Name != f.ID {
		return fmt.Sprintf("%s %s", f.Kind, f.Name)
	}
	return fmt.Sprintf("%s %s", f.Kind, f.ID)
}
