package resource

import (
	"cmp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// tagGroup is the tag by which Auto Scaling marks the machines of a group (Amazon
// EC2 Auto Scaling User Guide, "Tag Auto Scaling groups and instances").
const tagGroup = "aws:autoscaling:groupName"

// membersOf takes the machines of scaling groups out of the servers, and tells of
// each what its group and the load balancer say. One that its group has let go
// is a server that no stack wants.
func membersOf(
	servers []plan.Found,
	groups []scalingGroup,
	health map[string][]elbtypes.TargetHealthDescription,
) (rest, members []plan.Found) {
	places := map[string]types.Instance{}
	of := map[string]string{}
	for _, g := range groups {
		for _, i := range g.raw.Instances {
			places[aws.ToString(i.InstanceId)], of[aws.ToString(i.InstanceId)] = i, g.found.ID
		}
	}
	states := map[string]*elbtypes.TargetHealth{}
	for _, list := range health {
		for _, h := range list {
			states[aws.ToString(h.Target.Id)] = h.TargetHealth
		}
	}
	for _, f := range servers {
		place, inGroup := places[f.ID]
		if !inGroup && f.Status["group"] == "" {
			rest = append(rest, f)
			continue
		}
		f.Kind, f.Status["group"] = stack.KindMember, cmp.Or(of[f.ID], f.Status["group"])
		f.Status["lifecycle"], f.Status["group health"] = string(place.LifecycleState), aws.ToString(place.HealthStatus)
		setHealth(&f, states[f.ID])
		if f.Status["group health"] == "Unhealthy" {
			f.Broken = "its group gives it up as unhealthy"
		}
		members = append(members, f)
	}
	nameMembers(members)
	return rest, members
}

// nameMembers gives machines names that stay theirs: "server-a-3f9c2", of the
// zone's letter and the last digits of the instance's id. They are listed by
// zone, in each the oldest first.
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
			cmp.Compare(a.Status["zone"], b.Status["zone"]),
			cmp.Compare(a.Created, b.Created),
			cmp.Compare(a.ID, b.ID),
		)
	})
}

func memberName(f plan.Found) string {
	zone, digits := f.Status["zone"], strings.TrimPrefix(f.ID, "i-")
	return "server-" + zone[max(len(zone)-1, 0):] + "-" + digits[max(len(digits)-5, 0):]
}
