package plan

import (
	"slices"

	"aloft.dev/aloft/internal/stack"
)

// Expect returns the resources that are expected to exist after the plan has been
// carried out, so that a later phase can be planned before an earlier one is done.
// Resources that the plan creates have the id "<address>.id", the form in which
// references to them are printed.
func Expect(p *Plan, found []Found) []Found {
	type key struct{ address, id string } // a target's id is not unique without its address
	retired := map[key]bool{}
	for _, c := range p.Changes {
		for _, f := range c.Retire {
			retired[key{f.Address, f.ID}] = true
		}
	}
	var all []Found
	for _, f := range found {
		if !retired[key{f.Address, f.ID}] {
			all = append(all, f)
		}
	}
	for _, c := range p.Changes {
		switch c.Action {
		case Create, Replace:
			all = append(all, Found{
				Address:    c.Address,
				Kind:       c.Kind,
				ID:         expectedID(c.Address),
				Name:       c.Address,
				Attributes: p.expectedAttributes(c),
			})
		case Update:
			i := slices.IndexFunc(all, func(f Found) bool { return f.Address == c.Address && f.ID == c.ID })
			all[i].Attributes = p.expectedAttributes(c)
			if c.Kind.Versioned() && !c.OnlyTags() {
				all[i].ID = expectedID(c.Address)
			}
		}
	}
	return all
}

func expectedID(address string) string { return address + ".id" }

func (p *Plan) expectedAttributes(c Change) Attributes {
	f := Found{Attributes: Attributes{}}
	for _, a := range c.Desired.Attributes() {
		var values []string
		for _, t := range a.Terms {
			values = append(values, t.Text+p.expectedReference(t.Ref))
		}
		f.Set(a.Key, values...)
	}
	return f.Attributes
}

func (p *Plan) expectedReference(ref stack.Ref) string {
	if kept, ok := p.Kept[ref.Address]; ok {
		return kept.ID
	}
	if ref.Address == "" {
		return ""
	}
	return expectedID(ref.Address)
}
