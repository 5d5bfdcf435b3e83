// Package plan computes the changes that bring the resources in the cloud to what
// a stack describes. Plans are the results of pure functions, so they can be
// printed and tested without a cloud.
package plan

import "aloft.dev/aloft/internal/stack"

// Action is the kind of a change.
type Action string

// The actions.
const (
	Create  Action = "create"
	Update  Action = "update"
	Replace Action = "replace" // create another, then delete the old one once nothing refers to it
	Delete  Action = "delete"
)

// Difference is an attribute whose value changes.
type Difference struct {
	Key      stack.AttributeKey `json:"name"`
	Old      []string           `json:"old,omitempty"`
	New      []string           `json:"new,omitempty"`
	Replaces bool               `json:"replaces,omitempty"` // cannot be changed in place
	Hidden   bool               `json:"hidden,omitempty"`   // its values are not shown
}

// Change is the change of one address.
type Change struct {
	Address     string       `json:"address"`
	Kind        stack.Kind   `json:"kind"`
	Action      Action       `json:"action"`
	Step        string       `json:"step,omitempty"`
	Title       string       `json:"title"`
	ID          string       `json:"id,omitempty"` // of the existing resource
	Reason      string       `json:"reason,omitempty"`
	Phase       stack.Phase  `json:"phase,omitempty"` // of the release that the change belongs to
	Differences []Difference `json:"differences,omitempty"`

	Desired *stack.Resource `json:"-"` // nil for Delete
	Current *Found          `json:"-"` // the resource that is changed, for Update
	Retire  []Found         `json:"-"` // the resources that are deleted, for Replace and Delete
}

// OnlyTags reports whether the change sets and removes tags, and nothing else.
func (c Change) OnlyTags() bool {
	return c.Action == Update && OnlyTags(c.Differences)
}

// OnlyTags reports whether nothing but tags differs.
func OnlyTags(differences []Difference) bool {
	return len(differences) == 1 && differences[0].Key == stack.AttrTags
}

// Plan lists changes. Each change comes after those it depends on; deletions come
// last.
type Plan struct {
	App     string   `json:"app"`
	Stage   string   `json:"stage,omitempty"`
	Region  string   `json:"region"`
	Release string   `json:"release"`
	Changes []Change `json:"changes"`
	Notes   []string `json:"notes,omitempty"` // sentences for people

	RegionFrom string `json:"region_from,omitempty"` // what named the region, for people; "" if it is not known

	Kept map[string]Found `json:"-"` // resources that stay, by address
}

// Empty reports whether the plan has no changes.
func (p *Plan) Empty() bool { return len(p.Changes) == 0 }

// Count returns the number of changes with the given action.
func (p *Plan) Count(action Action) int {
	n := 0
	for _, c := range p.Changes {
		if c.Action == action {
			n++
		}
	}
	return n
}

// Get returns the change at an address, other than a deletion.
func (p *Plan) Get(address string) (Change, bool) {
	for _, c := range p.Changes {
		if c.Address == address && c.Action != Delete {
			return c, true
		}
	}
	return Change{}, false
}

// Join returns one plan for a sequence of phases that are carried out one after
// the other. The changes of a release carry their phase.
func Join(phases []stack.Phase, plans []*Plan) *Plan {
	first := plans[0]
	all := &Plan{App: first.App, Region: first.Region, Release: first.Release, Changes: []Change{}, Kept: first.Kept}
	release := false
	for _, phase := range phases {
		release = release || phase == stack.PhaseBuild || phase == stack.PhaseProve
	}
	for i, p := range plans {
		for _, c := range p.Changes {
			if release {
				c.Phase = phases[i]
			}
			if c.ID == expectedID(c.Address) {
				c.ID = "" // the resource does not exist yet
			}
			all.Changes = append(all.Changes, c)
		}
	}
	return all
}
