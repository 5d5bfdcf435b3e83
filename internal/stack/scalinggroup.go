package stack

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// KindScalingGroup is the kind of an Auto Scaling group.
const KindScalingGroup Kind = "scaling-group"

var scalingGroupKind = properties{
	kind:       KindScalingGroup,
	mayReferTo: []Kind{KindLaunchTemplate, KindSubnet, KindTargetGroup, KindListener, KindRouteTable},
	serves:     true,
	uniqueName: true,

	replaceable: true,
}

// AddressScalingGroup is the address of the application's Auto Scaling group.
const AddressScalingGroup = "scaling-group"

// Attributes of an Auto Scaling group.
const (
	AttrLaunchTemplate   AttributeKey = "launch template"
	AttrTypes            AttributeKey = "types" // instance types that it may launch, in order
	AttrHealthCheck      AttributeKey = "health check"
	AttrMaintenance      AttributeKey = "replaces within" // instance maintenance policy
	AttrDistribution     AttributeKey = "distribution"
	AttrImpairedZone     AttributeKey = "in an impaired zone"
	AttrInstanceVersions AttributeKey = "machines are of" // launch template versions of the instances
	AttrInstances        AttributeKey = "machines"        // whether all instances serve
)

// Bounds of an Auto Scaling group's size while its instances are replaced, in
// percent of the desired capacity. They make a replacement healthy before an
// instance is terminated, replace one instance at a time in groups of up to ten,
// and keep an overloaded group from terminating more instances than it has added
// (Amazon EC2 Auto Scaling User Guide, "Instance maintenance policies").
const (
	MinHealthyPercent = 100
	MaxHealthyPercent = 110
)

// ScalingGroup is an Auto Scaling group: it keeps the desired number of instances
// healthy behind the load balancer, balanced over the zones of its subnets.
// Policies, schedules and users set the desired number between Min and Max.
type ScalingGroup struct {
	GroupName   string
	Template    Ref
	Subnets     []Ref
	TargetGroup Ref
	Listener    Ref   // the load balancer checks health only for a group with a listener
	Routes      []Ref // the route tables to the internet
	Min, Max    int
	Mins, Maxes []int    // set by schedules
	Load        int      // instances that carry the load; Min is higher if a zone may be lost
	Types       []string // in order of preference; the template has the first
	Region      string   // for people
}

// TypesOfGroup describes the instance types of a group's mixed instances policy. Without
// such a policy the group launches the launch template's type.
func TypesOfGroup(types []string) string {
	if len(types) < 2 {
		return "the launch template's"
	}
	return preference(types)
}

// ScalingName returns the name of an application's launch template, Auto Scaling
// group and scaling policy.
func ScalingName(app string) string { return "aloft-" + app }

// Kind implements Body.
func (ScalingGroup) Kind() Kind { return KindScalingGroup }

// Title implements Body. It includes the cost if the instance type's price is
// known.
func (g ScalingGroup) Title() string {
	var out strings.Builder
	_, _ = fmt.Fprintf(&out, "Auto Scaling group %s: %d to %d × %s in %d zones",
		g.GroupName, g.Min, g.Max, preference(g.Types), len(g.Subnets))
	if cost := MonthlyCost(g.Min, g.Types[0], g.Region); cost != "" {
		_, _ = fmt.Fprintf(&out, ", %s at the least", cost)
	}
	if spare := g.Min - g.Load; spare > 0 {
		_, _ = fmt.Fprintf(&out, "; %d of %d so that any zone can be lost", spare, g.Min)
		if cost := MonthlyCost(spare, g.Types[0], g.Region); cost != "" {
			_, _ = fmt.Fprintf(&out, " (%s)", cost)
		}
	}
	return out.String()
}

// Attributes implements Body.
func (g ScalingGroup) Attributes() []Attribute {
	return []Attribute{
		ref(AttrLaunchTemplate, g.Template),
		text(AttrTypes, TypesOfGroup(g.Types)),
		refs(AttrSubnets, g.Subnets),
		ref(AttrTargetGroup, g.TargetGroup),
		size(AttrMin, g.Min, g.Mins),
		size(AttrMax, g.Max, g.Maxes),
		text(AttrHealthCheck, "ELB"),
		text(AttrMaintenance, fmt.Sprintf("%d-%d %%", MinHealthyPercent, MaxHealthyPercent)),
		text(AttrDistribution, "balanced-best-effort"),
		text(AttrImpairedZone, "IgnoreUnhealthy"),
		ref(AttrInstanceVersions, g.Template),
		text(AttrInstances, Healthy),
	}
}

// size returns an attribute for a size that a schedule may have changed.
func size(key AttributeKey, n int, scheduled []int) Attribute {
	a := text(key, n)
	for _, s := range scheduled {
		if term := (Term{Text: strconv.Itoa(s)}); s > 0 && s != n && !slices.Contains(a.Also, term) {
			a = a.or(term)
		}
	}
	return a
}

// Needs implements Body. Without them the instances cannot become healthy.
func (g ScalingGroup) Needs() []Ref { return append([]Ref{g.Listener}, g.Routes...) }
