package apply

import (
	"context"
	"slices"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/stack"
)

// graph turns a plan into tasks. Their order follows from the references of the
// resources: what is made comes after what it refers to; what goes, goes after
// all that refers to it has been made anew, changed or deleted.
type graph struct {
	site  *resource.Site
	want  *stack.Stack // nil when everything goes
	tasks []*task

	makes   map[string]*task   // by address
	retires map[string][]*task // by address
	kinds   map[*task]stack.Kind
}

func newGraph(site *resource.Site, want *stack.Stack, p *plan.Plan) *graph {
	g := &graph{
		site:    site,
		want:    want,
		makes:   map[string]*task{},
		retires: map[string][]*task{},
		kinds:   map[*task]stack.Kind{},
	}
	for _, c := range p.Changes {
		if c.Action != plan.Delete {
			g.makes[c.Address] = g.add(c, c.Step, string(c.Action)+" "+c.Title, g.make(c))
		}
		if c.Action == plan.Replace && resource.NameIsUnique(c.Kind) {
			continue // made and retired in one
		}
		for _, f := range c.Retire {
			t := g.add(c, "", "delete "+plan.Label(f), g.retire(f))
			g.retires[c.Address] = append(g.retires[c.Address], t)
		}
	}
	if want != nil {
		g.installation(p)
		g.orderMaking(p)
	}
	g.orderRetiring(p)
	return g
}

func (g *graph) add(c plan.Change, step, message string, run func(context.Context) error) *task {
	t := &task{address: c.Address, step: step, message: message, run: run}
	g.tasks = append(g.tasks, t)
	g.kinds[t] = c.Kind
	return t
}

func (t *task) follows(others ...*task) {
	for _, other := range others {
		if other != nil && other != t && !slices.Contains(t.after, other) {
			t.after = append(t.after, other)
		}
	}
}

// make does the change, and remembers what stands then.
func (g *graph) make(c plan.Change) func(context.Context) error {
	if c.Action == plan.Update {
		return func(ctx context.Context) error { return g.site.Update(ctx, *c.Desired, *c.Current) }
	}
	return func(ctx context.Context) error {
		f, err := g.site.Create(ctx, *c.Desired, c.Retire)
		if err == nil {
			g.site.Know(c.Address, f)
		}
		return err
	}
}

// retire deletes a thing. Where something is to serve on, machines that have
// served finish their requests first.
func (g *graph) retire(f plan.Found) func(context.Context) error {
	return func(ctx context.Context) error {
		if g.want != nil && f.Kind == stack.KindScalingGroup {
			if err := g.site.Drain(ctx, f); err != nil {
				return err
			}
		}
		return g.site.Delete(ctx, f)
	}
}

// installation puts a task of its own before the making of an image: the
// application is installed on the machine that the image is made of.
func (g *graph) installation(p *plan.Plan) {
	image, ok := p.Get(stack.AddressImage)
	if !ok || image.Action != plan.Create {
		return
	}
	address := image.Desired.Body.(stack.Image).Builder.Address
	if address == "" {
		return // it was to be there: making it tells that it is gone
	}
	if kept, ok := p.Kept[address]; ok && kept.Get("built") == "yes" {
		return
	}
	builder, _ := g.want.Get(address)
	install := g.add(
		plan.Change{Address: address, Kind: stack.KindServer},
		"11-16",
		"install the application",
		func(ctx context.Context) error {
			return g.site.Install(ctx, address)
		},
	)
	install.tellsItself = true
	install.follows(g.makes[address])
	for _, ref := range builder.References() {
		install.follows(g.makes[ref.Address])
	}
	g.makes[stack.AddressImage].follows(install)
}

// orderMaking follows the references, and lets servers that are in service be
// replaced one after the other.
func (g *graph) orderMaking(p *plan.Plan) {
	var previous []*task
	for _, r := range g.want.Resources {
		make := g.makes[r.Address]
		if make != nil {
			for _, ref := range r.References() {
				make.follows(g.makes[ref.Address])
			}
		}
		if r.Body.Kind() != stack.KindServer || len(g.retires[r.Address]) == 0 {
			continue
		}
		if c, ok := p.Get(r.Address); ok && c.Action == plan.Replace {
			make.follows(previous...)
		}
		previous = append(previous, g.retires[r.Address]...)
	}
}

func (g *graph) orderRetiring(p *plan.Plan) {
	for _, c := range p.Changes {
		for _, retire := range g.retires[c.Address] {
			if g.want != nil {
				if _, ok := g.want.Get(c.Address); ok {
					g.afterReferrers(retire, c.Address)
					continue
				}
			}
			g.afterReferringKinds(retire, c.Kind)
			if stack.Serves(c.Kind) {
				g.afterSuccessors(retire)
			}
		}
	}
}

// afterReferrers orders the end of one thing whose address remains.
func (g *graph) afterReferrers(retire *task, address string) {
	retire.follows(g.makes[address])
	for _, r := range g.want.Resources {
		if slices.ContainsFunc(r.References(), func(ref stack.Ref) bool { return ref.Address == address }) {
			retire.follows(g.makes[r.Address])
			retire.follows(g.retires[r.Address]...)
		}
	}
}

// afterSuccessors lets what serves, and what no stack knows any more, go when all
// that is to serve in its place is in service: servers for a group, a group for
// servers, fewer servers for more.
func (g *graph) afterSuccessors(retire *task) {
	for _, make := range g.makes {
		if stack.Serves(g.kinds[make]) {
			retire.follows(make)
		}
	}
}

// afterReferringKinds orders the end of something that no stack knows: after
// everything that may refer to its kind.
func (g *graph) afterReferringKinds(retire *task, kind stack.Kind) {
	refers := func(k stack.Kind) bool { return stack.MayRefer(k, kind) && stack.Rank(k) > stack.Rank(kind) }
	for _, make := range g.makes {
		if refers(g.kinds[make]) {
			retire.follows(make)
		}
	}
	for _, others := range g.retires {
		for _, other := range others {
			if refers(g.kinds[other]) {
				retire.follows(other)
			}
		}
	}
}
