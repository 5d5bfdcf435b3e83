package stack

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/environment"
	"aloft.dev/aloft/internal/spec"
)

// Facts are the inputs of a stack besides the spec.
type Facts struct {
	Zones       []Zone            // usable zones of the region, in order
	Subnets     map[string]string // zones of the subnets that exist, by address
	Release     string            // content address of the release
	Fingerprint string            // of the user's public key; "" if Aloft makes the key
	Phase       Phase
	Network     *ExistingNetwork // that the spec names; nil: Aloft makes one
	Ports       []int            // ports on which servers of another release still serve

	HostedZones map[string]string // ids of the zones that own the application's names; no entry: DNS is elsewhere

	Environment *environment.Environment // to serve; nil if the application has none
	Serving     *environment.Environment // that is stored now; nil if there is none
	Salt        string                   // of the run, for digests of values
}

// Build returns the stack of a spec.
func Build(s *spec.Spec, facts Facts) (*Stack, error) {
	zones, err := zonesOf(s, facts)
	if err != nil {
		return nil, err
	}
	if err := checkWayOut(s, facts); err != nil {
		return nil, err
	}
	b := &builder{
		spec:  s,
		facts: facts,
		zones: zones,
		stack: &Stack{App: s.App, Region: s.Region, Release: facts.Release, Phase: facts.Phase},
	}
	b.addNetwork()
	b.addSecurityGroups()
	builderGroup := []Ref{id(b.builderGroup())}
	b.addAccess()
	b.addIdentity()
	switch facts.Phase {
	case PhaseBuild:
		b.addServer(AddressBuilder, "9-10", 0, Server{Builder: true, Groups: builderGroup})
		b.addImage(id(AddressBuilder))
	case PhaseProve:
		b.addImage(Ref{})
		b.addServer(AddressCandidate, "18-19", 0, Server{Image: id(AddressImage), Proof: true, Groups: builderGroup})
	case PhaseServe:
		b.addImage(Ref{})
		b.addService(1)
		b.addAlerts()
	default:
		if s.Scaling != nil || s.Machines.HasBuilder() || s.Network.Private {
			b.addServer(AddressBuilder, "9-10", 0, Server{Builder: true, Groups: builderGroup})
			b.addImage(id(AddressBuilder))
			b.addService(1)
			b.addAlerts()
			break
		}
		first := serverAddress(1)
		groups := append([]Ref{id(AddressAppGroup)}, builderGroup...)
		b.addServer(first, "9-10", 0, Server{Builder: true, Groups: groups})
		b.addImage(id(first))
		b.addService(2)
		b.addAlerts()
	}
	return b.stack, nil
}

type builder struct {
	spec  *spec.Spec
	facts Facts
	zones []string
	stack *Stack
}

func (b *builder) add(address, step string, body Body) {
	r := Resource{Address: address, Name: b.spec.App + "-" + address, Step: step, Body: body}
	if body.Kind().Tagged() {
		r.Tags = TagsOf(b.spec)
	}
	b.stack.Resources = append(b.stack.Resources, r)
}

func (b *builder) subnets() []Ref {
	all := make([]Ref, len(b.zones))
	for i := range all {
		all[i] = id(subnetAddress(i + 1))
	}
	return all
}

// zonesOf returns a zone for each subnet.
func zonesOf(s *spec.Spec, facts Facts) ([]string, error) {
	if s.Network.Exists() {
		return existingZones(s, facts)
	}
	return chooseZones(s, facts)
}

func (b *builder) addNetwork() {
	if b.spec.Network.Exists() {
		b.addExistingNetwork()
		return
	}
	vpc := id(AddressVPC)
	b.add(AddressVPC, "1", VPC{CIDR: b.spec.Network.CIDR})
	for i, subnet := range b.spec.Network.Subnets {
		b.add(subnetAddress(i+1), "2", Subnet{VPC: vpc, CIDR: subnet.CIDR, Zone: b.zones[i]})
	}
	b.add(AddressInternetGateway, "3,5", InternetGateway{VPC: vpc})
	b.add(AddressRouteTable, "4,6",
		RouteTable{VPC: vpc, Gateway: id(AddressInternetGateway), Subnets: b.subnets()})
	if b.spec.Network.Private {
		b.addPrivateNetwork()
	}
}

func (b *builder) addSecurityGroups() {
	security, s := b.spec.Security, b.spec
	web := tcpFromAll(s.LoadBalancer.Port, security.Web.From)
	if s.HTTPS() {
		web = append(web, tcpFromAll(HTTPSPort, security.Web.From)...)
	}
	b.addConnectGroup()
	b.add(AddressWebGroup, "7-8", SecurityGroup{
		VPC:         id(AddressVPC),
		GroupName:   s.App + "-web",
		Description: "Aloft: the load balancer of " + s.App,
		Inbound:     web,
	})
	var inbound []Rule
	if !s.Network.Private || security.ThroughEndpoint() { // nobody else reaches private servers
		inbound = b.sshRules()
	}
	for _, port := range b.ports() {
		inbound = append(inbound, tcpFromAll(port, security.App.From)...)
		inbound = append(inbound, Rule{
			Protocol: "tcp", First: int32(port), Last: int32(port), Group: id(AddressWebGroup),
		})
	}
	b.add(AddressAppGroup, "7-8", SecurityGroup{
		VPC:         id(AddressVPC),
		GroupName:   s.App + "-app",
		Description: "Aloft: the machines of " + s.App,
		Inbound:     inbound,
	})
	b.add(b.builderGroup(), "7-8", SecurityGroup{
		VPC:         id(AddressVPC),
		GroupName:   s.App + strings.TrimPrefix(b.builderGroup(), "security-group"),
		Description: "Aloft: the machines on which releases of " + s.App + " are made",
		Inbound:     b.sshRules(),
	})
}

// builderGroup returns the address of the group of machines on which a release is made. It
// depends on the way to them: a phase that only makes a release may create a group, and not
// change one.
func (b *builder) builderGroup() string {
	if b.spec.Security.ThroughEndpoint() {
		return AddressMakerGroup
	}
	return AddressBuilderGroup
}

// addConnectGroup adds the endpoint's group. It cannot refer to the servers' groups, which
// refer to it.
func (b *builder) addConnectGroup() {
	if !b.spec.Security.ThroughEndpoint() || b.existingEndpoint() != nil {
		return
	}
	var outbound []Rule
	for _, cidr := range b.blocks() {
		outbound = append(outbound, Rule{Protocol: "tcp", First: 22, Last: 22, Egress: true, CIDR: cidr.String()})
	}
	b.add(AddressConnectGroup, "7-8", SecurityGroup{
		VPC:         id(AddressVPC),
		GroupName:   b.spec.App + "-connect",
		Description: "Aloft: the way to the machines of " + b.spec.App,
		Outbound:    outbound,
	})
}

// blocks returns the addresses of the machines.
func (b *builder) blocks() []netip.Prefix {
	if n := b.facts.Network; n != nil {
		return n.machineBlocks(b.spec)
	}
	return []netip.Prefix{b.spec.Network.CIDR}
}

// sshRules returns the rules that admit SSH to instances for as long as they exist.
func (b *builder) sshRules() []Rule {
	rule := Rule{Protocol: "tcp", First: 22, Last: 22, Group: id(AddressConnectGroup)}
	switch e := b.existingEndpoint(); {
	case e != nil:
		rule.Group, rule.GroupID = Ref{}, e.Groups[0]
		return []Rule{rule}
	case b.spec.Security.ThroughEndpoint():
		return []Rule{rule}
	}
	return tcpFromAll(22, b.spec.Security.SSH.From)
}

// addAccess adds what gives access to instances: a key pair or an endpoint.
func (b *builder) addAccess() {
	if !b.spec.Security.ThroughEndpoint() {
		b.add(AddressKeyPair, "9-10", KeyPair{KeyName: KeyName(b.spec.App), Fingerprint: b.facts.Fingerprint})
		return
	}
	if e := b.existingEndpoint(); e != nil {
		b.addExisting(AddressConnectEndpoint, Existing{ID: e.ID, DNSName: e.DNSName}, ConnectEndpoint{})
		return
	}
	b.add(AddressConnectEndpoint, "9-10", ConnectEndpoint{Subnet: id(subnetAddress(1)), Group: id(AddressConnectGroup)})
}

// access returns what launches and connections need to give access to an instance.
func (b *builder) access() Access {
	if b.spec.Security.ThroughEndpoint() {
		return Access{Endpoint: id(AddressConnectEndpoint)}
	}
	return Access{KeyPair: Ref{AddressKeyPair, "name"}, KeyName: KeyName(b.spec.App)}
}

// ports returns the ports on which servers serve, without duplicates.
func (b *builder) ports() []int {
	all := []int{b.spec.Port}
	for _, port := range b.facts.Ports {
		if !slices.Contains(all, port) {
			all = append(all, port)
		}
	}
	return all
}

// addService adds what serves: the load balancer with either an Auto Scaling group
// or the servers from the nth on.
func (b *builder) addService(n int) {
	if b.spec.Scaling != nil {
		b.addLoadBalancing(0)
		b.addScaling()
		return
	}
	for ; n <= b.spec.Machines.Count; n++ {
		b.addServer(serverAddress(n), "18-19", (n-1)%len(b.zones), Server{
			Image: id(AddressImage), Groups: []Ref{id(AddressAppGroup)}, Launched: b.spec.Machines.HasBuilder(),
		})
	}
	b.addLoadBalancing(b.spec.Machines.Count)
}

// addServer adds an instance, in a zone if that has capacity. server holds what distinguishes it from
// other instances.
func (b *builder) addServer(address, step string, zone int, server Server) {
	server.Private = b.spec.Network.Private && !Transient(address)
	server.Types, server.Places = b.spec.Machines.Types, b.places(zone, server.Private)
	if address == AddressBuilder {
		server.Types = b.spec.Machines.BuilderTypes()
	}
	if !Transient(address) && b.spec.Machines.Fallback != spec.FallbackZone {
		server.Places = server.Places[:1]
	}
	server.Access = b.access()
	server.Routes, server.Release = b.publicRoutes(), b.facts.Release
	if server.Private {
		server.Routes = b.serverRoutes()
	}
	server.Identity, server.Transient = b.identity(), Transient(address)
	b.add(address, step, server)
}

// places returns the subnets, beginning with the one of a zone. The builder and the
// candidate may be in any of them, as they serve nobody; servers stay in theirs, unless
// the spec says otherwise, because the loss of a zone should cost as few as possible.
func (b *builder) places(zone int, private bool) []Place {
	subnets := b.subnets()
	if private {
		subnets = b.serverSubnets()
	}
	all := make([]Place, len(b.zones))
	for i := range all {
		n := (zone + i) % len(b.zones)
		all[i] = Place{Subnet: subnets[n], Zone: b.zones[n]}
	}
	return all
}

func (b *builder) addImage(builder Ref) {
	b.add(AddressImage, "17", Image{
		ImageName: ImageName(b.spec.App, b.facts.Release),
		Release:   b.facts.Release,
		Base:      b.spec.Machines.Image,
		Builder:   builder,
		Endpoint:  b.access().Endpoint,
	})
}

// addLoadBalancing adds the load balancer, with the given number of servers as its
// targets.
func (b *builder) addLoadBalancing(servers int) {
	lb, app := b.spec.LoadBalancer, b.spec.App
	b.add(AddressTargetGroup, "20", TargetGroup{
		VPC:       id(AddressVPC),
		GroupName: balancingName(app, AddressTargetGroup),
		Port:      b.spec.Port,
		Path:      lb.Health.Path,
		Interval:  int(lb.Health.Interval.Seconds()),
		Timeout:   int(lb.Health.Timeout.Seconds()),
		Healthy:   lb.Health.Healthy,
		Unhealthy: lb.Health.Unhealthy,
		Matcher:   lb.Health.Matcher,
		Delay:     int(lb.DeregistrationDelay.Seconds()),
	})
	var logs Ref
	if b.spec.KeepsAccessLogs() {
		b.add(AddressAccessLogs, "", Bucket{App: app, Region: b.spec.Region, Days: b.spec.AccessLogs.Days()})
		logs = id(AddressAccessLogs)
	}
	b.add(AddressLoadBalancer, "21", LoadBalancer{
		AccessLogs:   logs,
		BalancerName: balancingName(app, AddressLoadBalancer),
		Subnets:      b.subnets(),
		Groups:       []Ref{id(AddressWebGroup)},
		Routes:       b.publicRoutes(),
		Protected:    b.spec.Protect,
	})
	b.addListeners()
	for n := 1; n <= servers; n++ {
		b.add(fmt.Sprintf("target-%d", n), "20", Target{
			TargetGroup: arn(AddressTargetGroup),
			Server:      id(serverAddress(n)),
			Port:        b.spec.Port,
			Listener:    b.forwarding(),
			Image:       id(AddressImage),
		})
	}
}

// addScaling adds the Auto Scaling group with what it launches, its policy and
// its schedules.
func (b *builder) addScaling() {
	s, c := b.spec, b.spec.Scaling
	zones, group := len(b.zones), Ref{AddressScalingGroup, "name"}
	b.add(AddressLaunchTemplate, "18-19", LaunchTemplate{
		TemplateName: ScalingName(s.App),
		Image:        id(AddressImage),
		Type:         s.Machines.Types[0],
		Access:       b.access(),
		Groups:       []Ref{id(AddressAppGroup)},
		Release:      b.facts.Release,
		Private:      s.Network.Private,
		Identity:     b.identity(),
	})
	body := ScalingGroup{
		GroupName:   ScalingName(s.App),
		Template:    Ref{AddressLaunchTemplate, "version"},
		Subnets:     b.serverSubnets(),
		TargetGroup: arn(AddressTargetGroup),
		Listener:    b.forwarding(),
		Routes:      b.serverRoutes(),
		Min:         c.Least(zones),
		Max:         c.Max,
		Load:        c.Min,
		Types:       s.Machines.Types,
		Region:      s.Region,
	}
	for _, at := range c.Schedule {
		body.Mins, body.Maxes = append(body.Mins, at.Least(c, zones)), append(body.Maxes, at.Max)
	}
	b.add(AddressScalingGroup, "18-20", body)
	if c.Target.CPU > 0 || c.Target.RequestsPerTarget > 0 {
		b.add(AddressScalingPolicy, "18-20", ScalingPolicy{
			PolicyName:   ScalingName(s.App),
			Group:        group,
			CPU:          c.Target.CPU,
			Requests:     c.Target.RequestsPerTarget,
			LoadBalancer: arn(AddressLoadBalancer),
			TargetGroup:  arn(AddressTargetGroup),
			Listener:     b.forwarding(),
		})
	}
	for i, at := range c.Schedule {
		address := fmt.Sprintf("schedule-%d", i+1)
		b.add(address, "18-20", Schedule{
			ActionName: ScheduleName(s.App, address),
			Group:      group,
			Cron:       at.Cron,
			TimeZone:   at.Timezone,
			Min:        at.Least(c, zones),
			Max:        at.Max,
			Desired:    at.Desired,
		})
	}
}
