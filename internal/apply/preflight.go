package apply

import (
	"context"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/preflight"
	"aloft.dev/aloft/internal/stack"
)

// preflight checks what would stop the plan of a survey in the middle.
func (d *Deployment) preflight(ctx context.Context, s *survey) (preflight.Report, error) {
	desired, err := s.stackOf(s.steps[len(s.steps)-1])
	if err != nil {
		return nil, err
	}
	var zones []stack.Zone
	for _, r := range desired.Resources {
		subnet, ok := r.Body.(stack.Subnet)
		if !ok {
			continue
		}
		for _, zone := range s.facts.Zones {
			if zone.Name == subnet.Zone && !subnet.Private { // each zone once
				zones = append(zones, zone)
			}
		}
	}
	return preflight.Run(ctx, preflight.Config{
		Client:        d.cfg.Client,
		App:           d.cfg.App,
		Caller:        s.caller,
		Plan:          s.plan,
		InstanceTypes: s.spec.Machines.Types,
		ImageID:       s.base.ID,
		Zones:         zones,
	}), nil
}

// PlanWithChecks returns the changes that Up would make, and the checks that Up makes
// before them. There are no checks if Up would create nothing.
func (d *Deployment) PlanWithChecks(ctx context.Context) (*plan.Plan, preflight.Report, error) {
	s, err := d.survey(ctx, goal{spec: d.cfg.Spec})
	if err != nil {
		return nil, nil, err
	}
	report, err := d.preflight(ctx, s)
	return s.plan, report, err
}
