package plan

import (
	"slices"

	"aloft.dev/aloft/internal/stack"
)

// Expect gives what the cloud will hold when the plan has been carried out, as
// far as it is known: what is yet to be made has the id "<address>.id", as
// references to it are printed. So a later phase can be planned before an
// earlier one is done.
func Expect(p *Plan, found []Found) []Found {
	retired := map[string]bool{} // by address and id: targets have ids like their servers
	for _, c := range p.Changes {
		for _, f := range c.Retire {
			retired[f.Address+" "+f.ID] = true
		}
	}
	var all []Found
	for _, f := range found {
		if !retired[f.Address+" "+f.ID] {
			all = append(all, f)
		}
	}
	for _, c := range p.Changes {
		switch c.Action {
		case Create, Replace:
			all = append(
				all,
				Found{Address: c.Address, Kind: c.Kind, ID: expected(c.Address), Name: c.Address, Values: p.values(c)},
			)
		case Update:
			i := slices.IndexFunc(all, func(f Found) bool { return f.Address == c.Address && f.ID == c.ID })
			all[i].Values = p.values(c)
			if stack.Versioned(c.Kind) {
				all[i].ID = expected(c.Address)
			}
		}
	}
	return all
}

func expected(address string) string { return address + ".id" }

// values are those of a change's resource when it is done.
func (p *Plan) values(c Change) map[string][]string {
	f := Found{}
	for _, a := range c.Desired.Body.Attributes() {
		var values []string
		for _, t := range a.Terms {
			id := ""
			if t.Ref.Address != "" {
				id = expected(t.Ref.Address)
			}
			if kept, ok := p.Kept[t.Ref.Address]; ok {
				id = kept.ID
			}
			values = append(values, t.Text+id)
		}
		f.Set(a.Name, values...)
	}
	return f.Values
}

// Join makes one plan of those of a row of phases, which are carried out one
// after the other. The changes of a release tell their phase.
func Join(phases []stack.Phase, plans []*Plan) *Plan {
	first := plans[0]
	all := &Plan{App: first.App, Region: first.Region, Release: first.Release, Changes: []Change{}, Kept: first.Kept}
	release := slices.Contains(phases, stack.PhaseBuild) || slices.Contains(phases, stack.PhaseProve)
	for i, p := range plans {
		for _, c := range p.Changes {
			if release {
				c.Phase = phases[i]
			}
			if c.ID == expected(c.Address) {
				c.ID = "" // it has none yet
			}
			all.Changes = append(all.Changes, c)
		}
	}
	return all
}
