package apply

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// surveyNetwork reads the network that the spec names, if that exists. It returns an error if
// what runs is in another one.
func (d *Deployment) surveyNetwork(ctx context.Context, s *survey) error {
	vpcs, own := vpcsOf(s.found)
	if err := stack.NetworkProblem(s.spec, vpcs, own); err != nil {
		return err
	}
	if !s.spec.Network.Exists() {
		return nil
	}
	public, private := s.spec.Network.Subnets.IDs()
	n, err := d.cloud.ExistingNetwork(ctx, s.spec.Network.VPC, slices.Concat(public, private), s.found)
	if err != nil {
		return explain("network.vpc", err)
	}
	s.facts.Network = n
	return nil
}

// vpcsOf returns the VPCs in which an application is, sorted, and those that Aloft made for it:
// a killed run may have left another.
func vpcsOf(found []plan.Found) (all, own []string) {
	for _, f := range found {
		switch f.Kind {
		case stack.KindVPC:
			own, all = append(own, f.ID), append(all, f.ID)
		case stack.KindSecurityGroup, stack.KindTargetGroup:
			all = append(all, f.Values(stack.AttrVPC)...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), own
}

// networkNotes returns what a person should know of the network before the plan is carried
// out.
func (s *survey) networkNotes() []string {
	if n := s.facts.Network; n != nil && !s.plan.Empty() {
		return n.Notes(s.spec)
	}
	if slices.ContainsFunc(s.plan.Changes, func(c plan.Change) bool {
		return c.Kind == stack.KindNatGateway || c.Kind == stack.KindSubnet
	}) {
		return stack.NetworkNotes(s.spec)
	}
	return nil
}

// checkReferences returns an error if rules of others, in a VPC that is not the application's,
// refer to its security groups: those could not be deleted, after everything else was.
func (d *Deployment) checkReferences(ctx context.Context, found []plan.Found) error {
	var groups []string
	for _, f := range found {
		switch f.Kind {
		case stack.KindVPC:
			return nil
		case stack.KindSecurityGroup:
			groups = append(groups, f.ID)
		}
	}
	if len(groups) == 0 {
		return nil
	}
	others, err := d.cloud.ReferringGroups(ctx, groups)
	if err != nil || len(others) == 0 {
		return err
	}
	return diag.List{{
		Where: d.cfg.App,
		Summary: fmt.Sprintf("%d security groups of others refer to its own: %s",
			len(others), strings.Join(others, ", ")),
		Detail: "AWS deletes no security group that rules refer to; nothing was deleted",
		Hint:   "revoke these rules, or take the applications down that have them, then run aloft down again",
	}}
}
