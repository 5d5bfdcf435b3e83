package resource

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// tagScalingGroup is the tag with which Auto Scaling marks the instances of a group
// (Amazon EC2 Auto Scaling User Guide, "Tag Auto Scaling groups and instances").
const tagScalingGroup = "aws:autoscaling:groupName"

// memberKind can only be found: Auto Scaling groups launch and terminate their
// members.
var memberKind = kind{name: stack.KindMember, find: findMembers}

func findMembers(ctx context.Context, d *discovery) ([]plan.Found, error) {
	instances, err := d.findInstances(ctx)
	return instances.members, err
}

// splitMembers separates the members of Auto Scaling groups from other instances,
// and adds what their group and the load balancer report about them. An instance
// that its group has detached is not a member.
func splitMembers(
	instances []plan.Found,
	groups []scalingGroup,
	health targetHealth,
) (servers, members []plan.Found) {
	reported := map[string]types.Instance{}
	groupOf := map[string]string{}
	for _, g := range groups {
		for _, i := range g.raw.Instances {
			id := aws.ToString(i.InstanceId)
			reported[id], groupOf[id] = i, g.found.ID
		}
	}
	states := map[string]*elbtypes.TargetHealth{}
	for _, list := range health {
		for _, h := range list {
			states[aws.ToString(h.Target.Id)] = h.TargetHealth
		}
	}
	for _, f := range instances {
		report, inGroup := reported[f.ID]
		if !inGroup && f.Status.ScalingGroup == "" {
			servers = append(servers, f)
			continue
		}
		f.Kind = stack.KindMember
		f.Status.ScalingGroup = cmp.Or(groupOf[f.ID], f.Status.ScalingGroup)
		f.Status.Lifecycle, f.Status.GroupHealth = string(report.LifecycleState), aws.ToString(report.HealthStatus)
		setHealth(&f, states[f.ID])
		if f.Status.GroupHealth == "Unhealthy" {
			f.Broken = "its group gives it up as unhealthy"
		}
		members = append(members, f)
	}
	nameMembers(members)
	return servers, members
}

// nameMembers gives members names that do not change while they exist, and sorts
// them by zone, then by age. A name consists of the zone's letter and the last
// digits of the instance id: "server-a-3f9c2".
func nameMembers(members []plan.Found) {
	count := map[string]int{}
	for i := range members {
		members[i].Name = memberName(members[i])
		count[members[i].Name]++
	}
	for i := range members {
		if count[members[i].Name] > 1 {
			members[i].Name = members[i].ID
		}
	}
	slices.SortFunc(members, func(a, b plan.Found) int {
		return cmp.Or(
			cmp.Compare(a.Status.Zone, b.Status.Zone),
			cmp.Compare(a.Created, b.Created),
			cmp.Compare(a.ID, b.ID),
		)
	})
}

func memberName(f plan.Found) string {
	zone, digits := f.Status.Zone, strings.TrimPrefix(f.ID, "i-")
	return "server-" + zone[max(len(zone)-1, 0):] + "-" + digits[max(len(digits)-5, 0):]
}
