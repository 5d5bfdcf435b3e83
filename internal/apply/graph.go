package apply

import (
	"context"
	"slices"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/stack"
)

// graph turns a plan into tasks, ordered by the references between resources. A
// resource is created after those it refers to. It is deleted after everything that
// refers to it was replaced, changed or deleted.
type graph struct {
	provisioner *resource.Provisioner
	desired     *stack.Stack // nil if everything is deleted
	tasks       []*task

	changes   map[string]*task   // creates and updates by address
	deletions map[string][]*task // by address
	kinds     map[*task]stack.Kind
}

func newGraph(provisioner *resource.Provisioner, desired *stack.Stack, p *plan.Plan) *graph {
	g := &graph{
		provisioner: provisioner,
		desired:     desired,
		changes:     map[string]*task{},
		deletions:   map[string][]*task{},
		kinds:       map[*task]stack.Kind{},
	}
	for _, c := range p.Changes {
		if c.Action != plan.Delete {
			g.changes[c.Address] = g.add(c.Address, c.Kind, c.Step, string(c.Action)+" "+c.Title, g.change(c))
		}
		if c.Action == plan.Replace && c.Kind.UniqueName() {
			continue // Create deletes the old resource
		}
		for _, f := range c.Retire {
			t := g.add(c.Address, c.Kind, "", "delete "+f.Label(), g.deletion(f))
			g.deletions[c.Address] = append(g.deletions[c.Address], t)
		}
	}
	if desired != nil {
		g.addInstallation(p)
		g.orderChanges(p)
	}
	g.orderDeletions(p)
	return g
}

func (g *graph) add(address string, kind stack.Kind, step, message string, run func(context.Context) error) *task {
	t := &task{address: address, step: step, message: message, run: run}
	g.tasks = append(g.tasks, t)
	g.kinds[t] = kind
	return t
}

// change returns a function that carries out a create, update or replacement, and
// records the new resource.
func (g *graph) change(c plan.Change) func(context.Context) error {
	if c.Action == plan.Update {
		return func(ctx context.Context) error { return g.provisioner.Update(ctx, *c.Desired, *c.Current) }
	}
	return func(ctx context.Context) error {
		f, err := g.provisioner.Create(ctx, *c.Desired, c.Retire)
		if err == nil {
			g.provisioner.SetKnown(c.Address, f)
		}
		return err
	}
}

// deletion returns a function that deletes a resource. If something else serves
// afterwards, the instances of an Auto Scaling group finish their requests first.
func (g *graph) deletion(f plan.Found) func(context.Context) error {
	return func(ctx context.Context) error {
		if g.desired != nil && f.Kind == stack.KindScalingGroup {
			if err := g.provisioner.Drain(ctx, f); err != nil {
				return err
			}
		}
		return g.provisioner.Delete(ctx, f)
	}
}

// addInstallation adds a task that installs the application on the instance that an
// image is created from.
func (g *graph) addInstallation(p *plan.Plan) {
	image, ok := p.Get(stack.AddressImage)
	if !ok || image.Action != plan.Create {
		return
	}
	address := image.Desired.Body.(stack.Image).Builder.Address
	if address == "" {
		return // the image should exist; creating it reports that it does not
	}
	if kept, ok := p.Kept[address]; ok && kept.Value(stack.AttrBuilt) == stack.Yes {
		return
	}
	install := g.add(address, stack.KindServer, "11-16", "install the application", func(ctx context.Context) error {
		return g.provisioner.Install(ctx, address)
	})
	install.emitsEvents = true
	install.follows(g.changes[address])
	builder, _ := g.desired.Get(address)
	for _, ref := range slices.Concat(builder.References(), image.Desired.References()) {
		install.follows(g.changes[ref.Address])
	}
	g.changes[stack.AddressImage].follows(install)
}

// orderChanges orders creates and updates by the resources' references. Servers that
// serve are replaced one after the other, and get another environment one after the other.
func (g *graph) orderChanges(p *plan.Plan) {
	var previous []*task
	for _, r := range g.desired.Resources {
		change := g.changes[r.Address]
		if change != nil {
			for _, ref := range r.References() {
				change.follows(g.changes[ref.Address])
			}
			if listener, ok := r.Body.(stack.Listener); ok && listener.Redirects() {
				g.afterKind(change, stack.KindRecord) // the names that it may redirect to lead here
			}
		}
		if r.Body.Kind() != stack.KindServer {
			continue
		}
		if c, ok := p.Get(r.Address); ok && refreshes(c) {
			change.follows(previous...)
			previous = append(previous, change)
		}
		if len(g.deletions[r.Address]) == 0 {
			continue
		}
		if c, ok := p.Get(r.Address); ok && c.Action == plan.Replace {
			change.follows(previous...)
		}
		previous = append(previous, g.deletions[r.Address]...)
	}
}

// refreshes reports whether a change restarts a server with another environment.
func refreshes(c plan.Change) bool {
	return c.Action == plan.Update && c.Kind == stack.KindServer &&
		slices.ContainsFunc(c.Differences, func(d plan.Difference) bool { return d.Key == stack.AttrEnvironment })
}

func (g *graph) orderDeletions(p *plan.Plan) {
	for _, c := range p.Changes {
		for _, deletion := range g.deletions[c.Address] {
			if g.isDesired(c.Address) {
				g.orderReplacement(deletion, c)
			} else {
				g.orderRemoval(deletion, c, p)
			}
		}
	}
}

func (g *graph) isDesired(address string) bool {
	if g.desired == nil {
		return false
	}
	_, ok := g.desired.Get(address)
	return ok
}

// orderReplacement orders the deletion of a resource whose address remains in the stack.
func (g *graph) orderReplacement(deletion *task, c plan.Change) {
	g.afterReferrers(deletion, c.Address)
	if c.Kind == stack.KindCertificate {
		g.afterReferringKinds(deletion, c.Kind) // names that it is for lead here until then
	}
}

// orderRemoval orders the deletion of a resource that the stack does not describe.
func (g *graph) orderRemoval(deletion *task, c plan.Change, p *plan.Plan) {
	g.afterReferringKinds(deletion, c.Kind)
	g.afterReferringGroups(deletion, c, p)
	g.afterSameKind(deletion, c.Kind)
	if c.Kind.Serves() {
		g.afterSuccessors(deletion)
	}
}

// afterReferrers orders the deletion of a resource whose address remains in the
// stack.
func (g *graph) afterReferrers(deletion *task, address string) {
	deletion.follows(g.changes[address])
	for _, r := range g.desired.Resources {
		if holds(r, address) {
			deletion.follows(g.changes[r.Address])
			deletion.follows(g.deletions[r.Address]...)
		}
	}
}

// holds reports whether a resource refers to what has an address. An alarm comes after what
// serves, but does not refer to it: while servers are replaced one after the other, it comes
// after all of them, and none of the old ones waits for it.
func holds(r stack.Resource, address string) bool {
	alarm, _ := r.Body.(stack.Alarm)
	return slices.ContainsFunc(r.References(), func(ref stack.Ref) bool {
		return ref.Address == address && !slices.Contains(alarm.Serving, ref)
	})
}

// afterSuccessors orders the deletion of a serving resource that the stack does not
// describe: after everything that serves in its place is in service. Servers may be
// replaced by an Auto Scaling group, a group by servers, and more servers by fewer.
func (g *graph) afterSuccessors(deletion *task) {
	for _, change := range g.changes {
		if g.kinds[change].Serves() {
			deletion.follows(change)
		}
	}
}

// afterReferringGroups orders the deletion of a security group that no stack describes and
// whose rules refer to no group: after all groups whose rules refer to it. Others may refer
// to each other, and are deleted at the same time, after each has lost its rules.
func (g *graph) afterReferringGroups(deletion *task, c plan.Change, p *plan.Plan) {
	for _, group := range c.Retire {
		if group.Kind != stack.KindSecurityGroup || slices.ContainsFunc(group.Status.Inbound, refersToAGroup) {
			continue
		}
		for _, other := range p.Changes {
			for _, f := range other.Retire {
				if slices.ContainsFunc(f.Status.Inbound, func(r stack.Rule) bool { return r.GroupID == group.ID }) {
					deletion.follows(g.deletions[other.Address]...)
				}
			}
		}
	}
}

func refersToAGroup(r stack.Rule) bool { return r.GroupID != "" }

// afterSameKind orders the deletion of a record or a listener that the stack does not
// describe: after others are there. A name serves until the one that replaces it does, and
// until no listener redirects to it.
func (g *graph) afterSameKind(deletion *task, kind stack.Kind) {
	switch kind {
	case stack.KindRecord:
		g.afterKind(deletion, stack.KindRecord)
		g.afterKind(deletion, stack.KindListener)
	case stack.KindListener:
		g.afterKind(deletion, stack.KindListener)
	default:
	}
}

// afterKind orders a task after the changes of all resources of a kind.
func (g *graph) afterKind(t *task, kind stack.Kind) {
	for _, change := range g.changes {
		if g.kinds[change] == kind {
			t.follows(change)
		}
	}
}

// afterReferringKinds orders the deletion of a resource that no stack describes:
// after all resources of kinds that may refer to its kind.
func (g *graph) afterReferringKinds(deletion *task, kind stack.Kind) {
	refers := func(k stack.Kind) bool { return k.MayReferTo(kind) && k.Rank() > kind.Rank() }
	for _, change := range g.changes {
		if refers(g.kinds[change]) {
			deletion.follows(change)
		}
	}
	for _, others := range g.deletions {
		for _, other := range others {
			if refers(g.kinds[other]) {
				deletion.follows(other)
			}
		}
	}
}
