package apply

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
)

// Scale sets the desired capacity of the Auto Scaling group, within its sizes, and
// returns the status of the deployment once all instances serve. Its policy and
// schedules continue from there.
func (d *Deployment) Scale(ctx context.Context, machines int) (*Status, error) {
	err := d.locked(ctx, func(ctx context.Context, _ bool) error {
		found, err := d.Discover(ctx)
		if err != nil {
			return err
		}
		group, err := d.scalableGroup(found, machines)
		if err != nil {
			return err
		}
		p, now := d.provisioner(), group.Status.DesiredCapacity
		return d.runTasks(ctx, "scale", []*task{{
			address: group.Address,
			message: fmt.Sprintf("scale %s from %d to %d machines", group.Name, now, machines),
			run:     func(ctx context.Context) error { return p.Scale(ctx, group, machines) },
		}})
	})
	if err != nil {
		return nil, err
	}
	return d.Status(ctx)
}

// scalingGroup returns the Auto Scaling group among the resources, if there is one.
func scalingGroup(found []plan.Found) (group plan.Found, ok bool) {
	i := slices.IndexFunc(found, func(f plan.Found) bool { return f.Kind == stack.KindScalingGroup && f.Broken == "" })
	if i < 0 {
		return plan.Found{}, false
	}
	return found[i], true
}

// scalableGroup returns the Auto Scaling group if it may have the given number of
// instances.
func (d *Deployment) scalableGroup(found []plan.Found, machines int) (plan.Found, error) {
	group, ok := scalingGroup(found)
	if !ok {
		return plan.Found{}, d.noGroup(found, machines)
	}
	least, errLeast := strconv.Atoi(group.Value(stack.AttrMin))
	most, errMost := strconv.Atoi(group.Value(stack.AttrMax))
	if errLeast != nil || errMost != nil || machines >= least && machines <= most {
		return group, nil
	}
	size := "scaling.max"
	if machines < least {
		size = "scaling.min"
	}
	hint := fmt.Sprintf("give a number between them, or change %s in %s and run aloft up", size, spec.FileName)
	return group, diag.List{{
		Where:   fmt.Sprintf("aloft scale %d", machines),
		Summary: fmt.Sprintf("the group has %d to %d machines", least, most),
		Hint:    hint,
	}}
}

// noGroup explains what to do without an Auto Scaling group. The spec sets a fixed
// number of servers: the next aloft up would undo another number.
func (d *Deployment) noGroup(found []plan.Found, machines int) error {
	problem := &diag.Diagnostic{Where: fmt.Sprintf("aloft scale %d", machines)}
	servers := 0
	for _, f := range found {
		if f.Kind == stack.KindServer && !stack.Transient(f.Address) {
			servers++
		}
	}
	switch {
	case d.cfg.Spec != nil && d.cfg.Spec.Scaling != nil:
		problem.Summary = "the Auto Scaling group in " + spec.FileName + " does not exist yet"
		problem.Hint = "aloft up creates it"
	case servers == 0:
		problem.Summary = d.cfg.App + " is not deployed in " + d.cfg.Region
		problem.Hint = "aloft up deploys it"
	default:
		problem.Summary = fmt.Sprintf(
			"%s has a fixed number of servers, %d: the next aloft up would undo another number",
			d.cfg.App, servers)
		problem.Hint = fmt.Sprintf("set machines.count: %d in %s and run aloft up; "+
			"or put scaling: {min: %d, max: %d} in place of machines.count, "+
			"and this command changes the number at once",
			machines, spec.FileName, min(servers, machines), max(2*servers, machines))
	}
	return diag.List{problem}
}
