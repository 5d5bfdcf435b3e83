//go:build linux

package invariant

import (
	"fmt"

	"aloft.dev/aloft/internal/cloud/store"
)

func (c *rows) loadBalancers() {
	for _, lb := range store.LoadBalancers.List(c) {
		c.own("the load balancer name "+lb.Region.Key(lb.Type)+"/"+lb.Name, lb.ARN)
		for _, id := range lb.GroupIDs {
			refer(c, store.SecurityGroups, id, lb.ARN)
		}
		for _, node := range lb.Nodes {
			refer(c, store.Subnets, node.SubnetID, lb.ARN)
			if n, ok := refer(c, store.NetworkInterfaces, node.InterfaceID, lb.ARN); ok && n.LoadBalancerARN != lb.ARN {
				c.differ("%s has %s, which belongs to %q", lb.ARN, n.ID, n.LoadBalancerARN)
			}
		}
	}
}

func (c *rows) listeners() {
	for _, l := range store.Listeners.List(c) {
		refer(c, store.LoadBalancers, l.LoadBalancerARN, l.ARN)
		c.own(fmt.Sprintf("port %d of %s", l.Port, l.LoadBalancerARN), l.ARN)
		c.actions(l.Actions, l.ARN)
		for _, arn := range l.Certificates {
			refer(c, store.Certificates, arn, l.ARN)
		}
	}
	for _, r := range store.Rules.List(c) {
		refer(c, store.Listeners, r.ListenerARN, r.ARN)
		c.own(fmt.Sprintf("priority %d of %s", r.Priority, r.ListenerARN), r.ARN)
		c.actions(r.Actions, r.ARN)
	}
}

func (c *rows) actions(actions []store.Action, of string) {
	for _, a := range actions {
		for _, group := range a.Forward {
			refer(c, store.TargetGroups, group.ARN, of)
		}
	}
}

func (c *rows) targets() {
	for _, g := range store.TargetGroups.List(c) {
		if g.VPCID != "" {
			refer(c, store.VPCs, g.VPCID, g.ARN)
		}
		c.own("the target group name "+g.Region.Key(g.Name), g.ARN)
	}
	for _, t := range store.Targets.List(c) {
		g, ok := refer(c, store.TargetGroups, t.TargetGroupARN, "target "+t.ID)
		if ok && g.TargetType == "instance" {
			refer(c, store.Instances, t.ID, "a target of "+g.Name)
		}
	}
}

func (c *rows) scaling() {
	for _, g := range store.ScalingGroups.List(c) {
		for _, arn := range g.TargetGroupARNs {
			refer(c, store.TargetGroups, arn, "Auto Scaling group "+g.Name)
		}
		if g.Desired < g.Min || g.Desired > g.Max {
			c.differ("Auto Scaling group %s wants %d instances, of %d to %d", g.Name, g.Desired, g.Min, g.Max)
		}
	}
	for _, i := range store.ScalingInstances.List(c) {
		refer(c, store.ScalingGroups, i.GroupKey(), i.InstanceID)
		refer(c, store.Instances, i.InstanceID, "Auto Scaling group "+i.Group)
	}
	for _, p := range store.ScalingPolicies.List(c) {
		refer(c, store.ScalingGroups, p.Region.Key(p.Group), p.ARN)
	}
	for _, a := range store.ScheduledActions.List(c) {
		refer(c, store.ScalingGroups, a.Region.Key(a.Group), "schedule "+a.Name)
	}
	for _, h := range store.LifecycleHooks.List(c) {
		refer(c, store.ScalingGroups, h.Region.Key(h.Group), "lifecycle hook "+h.Name)
	}
	for _, n := range store.ScalingNotifications.List(c) {
		refer(c, store.ScalingGroups, n.Region.Key(n.Group), "notifications of "+n.Topic)
	}
	for _, p := range store.WarmPools.List(c) {
		refer(c, store.ScalingGroups, p.GroupKey(), "a warm pool")
	}
	for _, r := range store.InstanceRefreshes.List(c) {
		refer(c, store.ScalingGroups, r.Region.Key(r.Group), "instance refresh "+r.ID)
	}
}

func (c *rows) templatesAndProfiles() {
	for _, t := range store.LaunchTemplates.List(c) {
		c.own("the launch template name "+t.Region.Key(t.Name), t.ID)
		for _, number := range []int64{t.Default, t.Latest} {
			refer(c, store.TemplateVersions, store.TemplateVersionKey(t.ID, number), t.ID)
		}
	}
	for _, v := range store.TemplateVersions.List(c) {
		refer(c, store.LaunchTemplates, v.TemplateID, fmt.Sprintf("version %d", v.Number))
	}
	for _, p := range store.InstanceProfiles.List(c) {
		if p.Role != "" {
			refer(c, store.Roles, store.NameKey(p.Region(), p.Role), "instance profile "+p.Name)
		}
	}
}
