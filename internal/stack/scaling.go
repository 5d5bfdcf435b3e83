package stack

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Addresses of what scales.
const (
	AddressLaunchTemplate = "launch-template"
	AddressScalingGroup   = "scaling-group"
	AddressScalingPolicy  = "scaling-policy"
	// AddressMember is the address that all machines of a group carry: the group
	// makes and ends them, and no stack names them.
	AddressMember = "member"
)

// Surge is how many per cent of the machines wanted may be there at once while
// some are replaced, and Floor how many have to serve meanwhile. So another is
// healthy before one goes, one after the other up to ten machines, and a group
// that is overloaded as a whole cannot end more of its machines than it has
// added (Amazon EC2 Auto Scaling User Guide, "Instance maintenance policies").
const (
	Floor = 100
	Surge = 110
)

// LaunchTemplate is what the machines of a group start from. It changes by
// getting another version, which becomes its default.
type LaunchTemplate struct {
	TemplateName string
	Image        Ref
	Type         string
	KeyPair      Ref
	KeyName      string
	Groups       []Ref
	Release      string
}

// Kind is launch-template.
func (LaunchTemplate) Kind() Kind { return KindLaunchTemplate }

// Title describes it.
func (t LaunchTemplate) Title() string {
	return fmt.Sprintf("launch template %s: %s with release %s", t.TemplateName, t.Type, t.Release)
}

// Attributes are what a machine of it is.
func (t LaunchTemplate) Attributes() []Attribute {
	return []Attribute{
		ref("image", t.Image), text("release", t.Release), text("type", t.Type), text("key pair", t.KeyName),
		refs("security groups", t.Groups), text("metadata", "IMDSv2 only"),
	}
}

// Needs is the key pair.
func (t LaunchTemplate) Needs() []Ref { return []Ref{t.KeyPair} }

// ScalingGroup is an Auto Scaling group: it keeps as many machines healthy behind
// the load balancer as are desired, balanced over its subnets' zones. How many
// are desired is up to policies, schedules and people, between Min and Max.
type ScalingGroup struct {
	GroupName   string
	Template    Ref
	Subnets     []Ref
	TargetGroup Ref
	Listener    Ref // without it nothing checks health
	Routes      Ref // what takes its machines' packets to the internet
	Min, Max    int
	Mins, Maxes []int  // those that schedules set
	Load        int    // machines that carry the load; Min is more when it is to survive the loss of a zone
	Type        string // of its machines, for people
}

// Kind is scaling-group.
func (ScalingGroup) Kind() Kind { return KindScalingGroup }

// Title describes it and, where the price is known, what it costs.
func (g ScalingGroup) Title() string {
	var out strings.Builder
	_, _ = fmt.Fprintf(
		&out,
		"Auto Scaling group %s: %d to %d × %s in %d zones",
		g.GroupName,
		g.Min,
		g.Max,
		g.Type,
		len(g.Subnets),
	)
	if cost := MonthlyCost(g.Min, g.Type); cost != "" {
		_, _ = fmt.Fprintf(&out, ", %s at the least", cost)
	}
	if more := g.Min - g.Load; more > 0 {
		_, _ = fmt.Fprintf(&out, "; %d of %d so that any zone can be lost", more, g.Min)
		if cost := MonthlyCost(more, g.Type); cost != "" {
			_, _ = fmt.Fprintf(&out, " (%s)", cost)
		}
	}
	return out.String()
}

// Attributes are its sizes, its places, what its machines are, and that they all
// serve.
func (g ScalingGroup) Attributes() []Attribute {
	return []Attribute{
		ref("launch template", g.Template), refs("subnets", g.Subnets), ref("target group", g.TargetGroup),
		sizes("min", g.Min, g.Mins), sizes("max", g.Max, g.Maxes),
		text("health check", "ELB"), text("replaces within", fmt.Sprintf("%d-%d %%", Floor, Surge)),
		text("distribution", "balanced-best-effort"), text("in an impaired zone", "IgnoreUnhealthy"),
		ref("machines are of", g.Template), text("machines", "healthy"),
	}
}

// sizes is a size that a schedule may have changed.
func sizes(name string, size int, scheduled []int) Attribute {
	a := text(name, size)
	for _, n := range scheduled {
		if value := strconv.Itoa(n); n > 0 && n != size && !slices.Contains(a.Also, value) {
			a.Also = append(a.Also, value)
		}
	}
	return a
}

// Needs are what its machines cannot become healthy without.
func (g ScalingGroup) Needs() []Ref { return []Ref{g.Listener, g.Routes} }

// ScalingPolicy keeps a measure of a group's machines at a value by changing
// their number: one of CPU, in per cent, and Requests, a minute for each machine
// (Amazon EC2 Auto Scaling User Guide, "Target tracking scaling policies").
type ScalingPolicy struct {
	PolicyName   string
	Group        Ref
	CPU          int
	Requests     int
	LoadBalancer Ref // of Requests
	TargetGroup  Ref // of Requests
	Listener     Ref // of Requests: without it the load balancer does not know the target group
}

// Kind is scaling-policy.
func (ScalingPolicy) Kind() Kind { return KindScalingPolicy }

// Metrics of target tracking (Amazon EC2 Auto Scaling API Reference,
// PredefinedMetricSpecification).
const (
	MetricCPU      = "ASGAverageCPUUtilization"
	MetricRequests = "ALBRequestCountPerTarget"
)

// Title describes it.
func (p ScalingPolicy) Title() string {
	if p.CPU > 0 {
		return fmt.Sprintf("target tracking: as many machines as keep their CPU at %d %%", p.CPU)
	}
	return fmt.Sprintf("target tracking: as many machines as get %d requests a minute each", p.Requests)
}

// Attributes are what it measures, and the value.
func (p ScalingPolicy) Attributes() []Attribute {
	all := []Attribute{fixed(ref("group", p.Group)), text("enabled", "yes")}
	if p.CPU > 0 {
		return append(all, text("metric", MetricCPU), text("value", p.CPU))
	}
	return append(
		all,
		text("metric", MetricRequests),
		text("value", p.Requests),
		ref("of load balancer", p.LoadBalancer),
		ref("of target group", p.TargetGroup),
	)
}

// Needs is the listener, where requests are counted.
func (p ScalingPolicy) Needs() []Ref {
	if p.Requests == 0 {
		return nil
	}
	return []Ref{p.Listener}
}

// Schedule sets a group's sizes again and again. A size of 0 is left as it is.
type Schedule struct {
	ActionName        string
	Group             Ref
	Cron, TimeZone    string
	Min, Max, Desired int
}

// Kind is schedule.
func (Schedule) Kind() Kind { return KindSchedule }

// Title describes it.
func (s Schedule) Title() string {
	var sizes []string
	for _, size := range []struct {
		name  string
		value int
	}{{"min", s.Min}, {"max", s.Max}, {"desired", s.Desired}} {
		if size.value > 0 {
			sizes = append(sizes, fmt.Sprintf("%s %d", size.name, size.value))
		}
	}
	return fmt.Sprintf("schedule %s (%s): %s", s.Cron, s.TimeZone, strings.Join(sizes, ", "))
}

// Attributes are its times and sizes.
func (s Schedule) Attributes() []Attribute {
	return []Attribute{
		fixed(ref("group", s.Group)), text("cron", s.Cron), text("time zone", s.TimeZone),
		text("min", s.Min), text("max", s.Max), text("desired", s.Desired),
	}
}

// Needs is nothing more.
func (Schedule) Needs() []Ref { return nil }

// ScalingName is the name of an application's launch template, group and policy.
func ScalingName(app string) string { return "aloft-" + app }

// ScheduleName is the name of a schedule's action: "aloft-shop-schedule-1".
func ScheduleName(app, address string) string { return ScalingName(app) + "-" + address }

// scaling adds the group in place of fixed servers.
func (b *builder) scaling() {
	s, c := b.spec, b.spec.Scaling
	least := c.Least(len(b.zones))
	b.add(AddressLaunchTemplate, "18-19", LaunchTemplate{
		TemplateName: ScalingName(
			s.App,
		), Image: id(AddressImage), Type: s.Machines.Type, KeyPair: Ref{AddressKeyPair, "name"}, KeyName: KeyName(s.App),
		Groups: []Ref{id(AddressAppGroup)}, Release: b.facts.Release,
	})
	group := ScalingGroup{
		GroupName: ScalingName(
			s.App,
		), Template: Ref{AddressLaunchTemplate, "version"}, Subnets: b.subnets(), TargetGroup: arn(AddressTargetGroup),
		Listener: arn(
			AddressListener,
		), Routes: id(AddressRouteTable), Min: least, Max: c.Max, Load: c.Min, Type: s.Machines.Type,
	}
	for _, at := range c.Schedule {
		group.Mins, group.Maxes = append(group.Mins, at.Least(c, len(b.zones))), append(group.Maxes, at.Max)
	}
	b.add(AddressScalingGroup, "18-20", group)
	named := Ref{AddressScalingGroup, "name"}
	if c.Target.CPU > 0 || c.Target.RequestsPerTarget > 0 {
		b.add(AddressScalingPolicy, "18-20", ScalingPolicy{
			PolicyName: ScalingName(s.App), Group: named, CPU: c.Target.CPU, Requests: c.Target.RequestsPerTarget,
			LoadBalancer: arn(
				AddressLoadBalancer,
			), TargetGroup: arn(AddressTargetGroup), Listener: arn(AddressListener),
		})
	}
	for i, at := range c.Schedule {
		address := fmt.Sprintf("schedule-%d", i+1)
		b.add(address, "18-20", Schedule{
			ActionName: ScheduleName(s.App, address), Group: named, Cron: at.Cron, TimeZone: at.Timezone,
			Min: at.Least(c, len(b.zones)), Max: at.Max, Desired: at.Desired,
		})
	}
}
