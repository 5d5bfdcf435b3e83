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

// Scale sets how many machines a group is to have, within its sizes, and gives
// what stands when it has them, all of them serving. Its policy and schedules go
// on from there.
func (d *Deployment) Scale(ctx context.Context, machines int) (*Status, error) {
	err := d.locked(ctx, func(ctx context.Context, _ bool) error {
		found, err := d.Discover(ctx)
		if err != nil {
			return err
		}
		group, err := d.scalable(found, machines)
		if err != nil {
			return err
		}
		site := d.site()
		return walk(ctx, []*task{{
			address: group.Address, message: fmt.Sprintf("scale %s from %s to %d machines", group.Name, group.Status["desired"], machines),
			run: func(ctx context.Context) error { return site.Scale(ctx, group, machines) },
		}}, d.cfg.Events)
	})
	if err != nil {
		return nil, err
	}
	return d.Status(ctx)
}

// scalable is the group of a deployment, when it may have so many machines.
func (d *Deployment) scalable(found []plan.Found, machines int) (plan.Found, error) {
	i := slices.IndexFunc(found, func(f plan.Found) bool { return f.Kind == stack.KindScalingGroup && f.Broken == "" })
	if i < 0 {
		return plan.Found{}, d.notScalable(found, machines)
	}
	group := found[i]
	least, errLeast := strconv.Atoi(group.Get("min"))
	most, errMost := strconv.Atoi(group.Get("max"))
	if errLeast == nil && errMost == nil && (machines < least || machines > most) {
		size := "scaling.max"
		if machines < least {
			size = "scaling.min"
		}
		return group, diag.List{
			{
				Where:   fmt.Sprintf("aloft scale %d", machines),
				Summary: fmt.Sprintf("the group has %d to %d machines", least, most),
				Hint: fmt.Sprintf(
					"give a number between them, or change %s in %s and run aloft up",
					size,
					spec.FileName,
				),
			},
		}
	}
	return group, nil
}

// notScalable tells what to do where there is no group. Servers of a fixed number
// are the spec's: a number that is set here would be undone by the next up.
func (d *Deployment) notScalable(found []plan.Found, machines int) error {
	where := fmt.Sprintf("aloft scale %d", machines)
	servers := len(
		slices.DeleteFunc(
			slices.Clone(found),
			func(f plan.Found) bool { return f.Kind != stack.KindServer || stack.Transient(f.Address) },
		),
	)
	switch {
	case d.cfg.Spec != nil && d.cfg.Spec.Scaling != nil:
		return diag.List{
			{
				Where:   where,
				Summary: "the group that " + spec.FileName + " asks for is not there yet",
				Hint:    "aloft up makes it",
			},
		}
	case servers == 0:
		return diag.List{
			{Where: where, Summary: d.cfg.App + " is not deployed in " + d.cfg.Region, Hint: "aloft up deploys it"},
		}
	}
	return diag.List{
		{
			Where: where,
			Summary: fmt.Sprintf(
				"%s has a fixed number of servers, %d: what is set here would be undone by the next aloft up",
				d.cfg.App,
				servers,
			),
			Hint: fmt.Sprintf(
				"set machines.count: %d in %s and run aloft up; or put scaling: {min: %d, max: %d} in place of machines.count, and this command changes the number at once",
				machines,
				spec.FileName,
				min(servers, machines),
				max(2*servers, machines),
			),
		},
	}
}
