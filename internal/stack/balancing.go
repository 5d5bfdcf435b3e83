package stack

import "fmt"

// TargetGroup is what the load balancer sends requests to, and how their health
// is checked. Targets carry their own port, so that a change of the
// application's port does not need another group.
type TargetGroup struct {
	VPC       Ref
	GroupName string
	Port      int
	Path      string
	Interval  int // seconds
	Timeout   int // seconds
	Healthy   int
	Unhealthy int
	Matcher   string
	Delay     int // of deregistration, seconds
}

// Kind is target-group.
func (TargetGroup) Kind() Kind { return KindTargetGroup }

// Title describes it.
func (g TargetGroup) Title() string {
	return fmt.Sprintf("target group %s: HTTP on port %d, health check %s", g.GroupName, g.Port, g.Path)
}

// Attributes are its health check and its draining.
func (g TargetGroup) Attributes() []Attribute {
	return []Attribute{
		fixed(ref("vpc", g.VPC)), fixed(text("protocol", "HTTP")),
		text(
			"health path",
			g.Path,
		), text("health interval", fmt.Sprintf("%ds", g.Interval)), text("health timeout", fmt.Sprintf("%ds", g.Timeout)),
		text("healthy after", g.Healthy), text("unhealthy after", g.Unhealthy), text("health codes", g.Matcher),
		text("deregistration delay", fmt.Sprintf("%ds", g.Delay)),
	}
}

// Needs is nothing more.
func (TargetGroup) Needs() []Ref { return nil }

// LoadBalancer is an internet-facing Application Load Balancer with a node in
// each of its subnets.
type LoadBalancer struct {
	BalancerName string
	Subnets      []Ref
	Groups       []Ref
	Routes       Ref // what takes its packets to the internet
}

// Kind is load-balancer.
func (LoadBalancer) Kind() Kind { return KindLoadBalancer }

// Title describes it.
func (b LoadBalancer) Title() string {
	return fmt.Sprintf("load balancer %s in %d subnets", b.BalancerName, len(b.Subnets))
}

// Attributes are where it is and who may reach it.
func (b LoadBalancer) Attributes() []Attribute {
	return []Attribute{
		fixed(text("scheme", "internet-facing")),
		refs("subnets", b.Subnets),
		refs("security groups", b.Groups),
		text("state", "active"),
	}
}

// Needs is the way to the internet.
func (b LoadBalancer) Needs() []Ref { return []Ref{b.Routes} }

// Listener takes requests on a port and forwards them to a target group.
type Listener struct {
	LoadBalancer Ref
	Port         int
	TargetGroup  Ref
}

// Kind is listener.
func (Listener) Kind() Kind { return KindListener }

// Title describes it.
func (l Listener) Title() string {
	return fmt.Sprintf("listener HTTP:%d, forwards to the target group", l.Port)
}

// Attributes are its port and where it forwards to.
func (l Listener) Attributes() []Attribute {
	return []Attribute{
		fixed(ref("load balancer", l.LoadBalancer)),
		text("port", l.Port),
		text("protocol", "HTTP"),
		ref("forwards to", l.TargetGroup),
	}
}

// Needs is nothing more.
func (Listener) Needs() []Ref { return nil }

// Target is one server's place in the target group. It is there when it is
// healthy.
type Target struct {
	TargetGroup Ref
	Server      Ref
	Port        int
	Listener    Ref // without it nothing checks health
	Image       Ref // when it is there, the server is finished
}

// Kind is target.
func (Target) Kind() Kind { return KindTarget }

// Title describes it.
func (t Target) Title() string {
	return fmt.Sprintf("%s, port %d, in the target group", t.Server.Address, t.Port)
}

// Attributes are what is registered, and that it is healthy.
func (t Target) Attributes() []Attribute {
	return []Attribute{
		fixed(ref("target group", t.TargetGroup)),
		fixed(ref("server", t.Server)),
		fixed(text("port", t.Port)),
		text("health", "healthy"),
	}
}

// Needs are what makes it healthy.
func (t Target) Needs() []Ref { return []Ref{t.Listener, t.Image} }
