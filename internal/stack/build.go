package stack

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/spec"
)

// Facts are what a stack depends on beside the spec.
type Facts struct {
	Zones       []string // of the region that can be used, in order
	Release     string   // content address of what is to be served
	Fingerprint string   // of the public key that the user gave, "" when Aloft makes one
	Phase       Phase    // how far the release is
	Ports       []int    // on which machines of another release still serve
}

// Phase is a stage on the way to a release. Each has a stack of its own; who
// applies one after the other has brought the release into service.
type Phase string

// The phases. Nothing serves yet: PhaseFirst, then PhaseServe. Something serves:
// PhaseBuild when there is no image, PhaseProve, then PhaseServe, which alone
// touches what serves.
const (
	PhaseFirst Phase = ""      // everything; the release is made on the first server, or for a group on the builder
	PhaseBuild Phase = "build" // a part: the builder, and the image that is made of it
	PhaseProve Phase = "prove" // a part: the candidate, a machine of the image
	PhaseServe Phase = "serve" // everything, of the image
)

// Addresses that others refer to.
const (
	AddressVPC          = "vpc"
	AddressGateway      = "internet-gateway"
	AddressRouteTable   = "route-table"
	AddressWebGroup     = "security-group-web"
	AddressAppGroup     = "security-group-app"
	AddressKeyPair      = "key-pair"
	AddressImage        = "image"
	AddressTargetGroup  = "target-group"
	AddressLoadBalancer = "load-balancer"
	AddressListener     = "listener"
)

// Build derives the resources of a spec.
func Build(s *spec.Spec, facts Facts) (*Stack, error) {
	zones, err := zonesOf(s, facts.Zones)
	if err != nil {
		return nil, err
	}
	b := &builder{
		spec:  s,
		facts: facts,
		zones: zones,
		stack: &Stack{App: s.App, Region: s.Region, Release: facts.Release, Phase: facts.Phase},
	}
	b.network()
	b.security()
	b.add(AddressKeyPair, "9-10", KeyPair{KeyName: KeyName(s.App), Fingerprint: facts.Fingerprint})
	switch facts.Phase {
	case PhaseBuild:
		b.machine(AddressBuilder, "9-10", 0, Server{Builder: true})
		b.image(id(AddressBuilder))
	case PhaseProve:
		b.image(Ref{})
		b.machine(AddressCandidate, "18-19", 0, Server{Image: id(AddressImage), Proof: true})
	case PhaseServe:
		b.image(Ref{})
		b.serving(1)
	default:
		first := serverAddress(1)
		if s.Scaling != nil {
			first = AddressBuilder // all that serve are the group's
		}
		b.machine(first, "9-10", 0, Server{Builder: true})
		b.image(id(first))
		b.serving(2)
	}
	return b.stack, nil
}

// zonesOf gives each subnet its zone: its own, or the next that no other has.
func zonesOf(s *spec.Spec, usable []string) ([]string, error) {
	taken := map[string]bool{}
	for _, subnet := range s.Network.Subnets {
		taken[subnet.Zone] = true
	}
	where := s.File
	if where == "" {
		where = spec.FileName
	}
	var problems diag.List
	var free []string
	for _, zone := range usable {
		if !taken[zone] {
			free = append(free, zone)
		}
	}
	zones := make([]string, len(s.Network.Subnets))
	for i, subnet := range s.Network.Subnets {
		switch {
		case subnet.Zone != "":
			zones[i] = subnet.Zone
			if !slices.Contains(usable, subnet.Zone) {
				problems.Add(
					where,
					fmt.Sprintf("zones of %s that can be used: %v", s.Region, usable),
					"network.subnets[%d].zone: there is no zone %s",
					i,
					subnet.Zone,
				)
			}
		case len(free) > 0:
			zones[i], free = free[0], free[1:]
		default:
			problems.Add(
				where,
				"ask for fewer subnets, or use a region with more zones",
				"network.subnets: %d subnets need a zone each, and %s has %d: %v",
				len(zones),
				s.Region,
				len(usable),
				usable,
			)
			return nil, problems
		}
	}
	return zones, problems.Err()
}

// KeyName is the name of an application's key pair.
func KeyName(app string) string { return "aloft-" + app }

// ImageName is the name of an application's image of a release.
func ImageName(app, release string) string { return app + "-" + release }

// balancingName is the name of a load balancer or target group: unique in an
// account, at most 32 characters (Elastic Load Balancing API Reference).
func balancingName(app, address string) string {
	sum := sha256.Sum256([]byte(app + "/" + address))
	return app + "-" + hex.EncodeToString(sum[:3])
}

func id(address string) Ref  { return Ref{address, "id"} }
func arn(address string) Ref { return Ref{address, "arn"} }

type builder struct {
	spec  *spec.Spec
	facts Facts
	zones []string
	stack *Stack
}

func (b *builder) add(address, step string, body Body) {
	b.stack.Resources = append(
		b.stack.Resources,
		Resource{Address: address, Name: b.spec.App + "-" + address, Step: step, Body: body},
	)
}

func subnetAddress(n int) string { return fmt.Sprintf("subnet-%d", n) }
func serverAddress(n int) string { return fmt.Sprintf("server-%d", n) }

func (b *builder) subnets() []Ref {
	all := make([]Ref, len(b.zones))
	for i := range all {
		all[i] = id(subnetAddress(i + 1))
	}
	return all
}

func (b *builder) network() {
	b.add(AddressVPC, "1", VPC{CIDR: b.spec.Network.CIDR})
	for i, subnet := range b.spec.Network.Subnets {
		b.add(subnetAddress(i+1), "2", Subnet{VPC: id(AddressVPC), CIDR: subnet.CIDR, Zone: b.zones[i]})
	}
	b.add(AddressGateway, "3,5", InternetGateway{VPC: id(AddressVPC)})
	b.add(AddressRouteTable, "4,6", RouteTable{VPC: id(AddressVPC), Gateway: id(AddressGateway), Subnets: b.subnets()})
}

func (b *builder) security() {
	security, s := b.spec.Security, b.spec
	b.add(AddressWebGroup, "7-8", SecurityGroup{
		VPC: id(
			AddressVPC,
		), GroupName: s.App + "-web", Description: "Aloft: the load balancer of " + s.App, Ingress: from(s.LoadBalancer.Port, security.Web.From),
	})
	in := from(22, security.SSH.From)
	for _, port := range b.ports() {
		in = append(in, from(port, security.App.From)...)
		in = append(in, Term{Text: fmt.Sprintf("tcp %d from ", port), Ref: id(AddressWebGroup)})
	}
	b.add(
		AddressAppGroup,
		"7-8",
		SecurityGroup{
			VPC:         id(AddressVPC),
			GroupName:   s.App + "-app",
			Description: "Aloft: the machines of " + s.App,
			Ingress:     in,
		},
	)
}

// ports are those on which machines serve, each once.
func (b *builder) ports() []int {
	all := []int{b.spec.Port}
	for _, port := range b.facts.Ports {
		if !slices.Contains(all, port) {
			all = append(all, port)
		}
	}
	return all
}

// from gives a rule a source, each source once.
func from(port int, sources []netip.Prefix) []Term {
	var terms []Term
	for _, source := range sources {
		term := Term{Text: fmt.Sprintf("tcp %d from %s", port, source)}
		if !slices.Contains(terms, term) {
			terms = append(terms, term)
		}
	}
	return terms
}

// serving is what serves: servers from the nth on and the load balancer, or the
// load balancer and a group that scales.
func (b *builder) serving(n int) {
	if b.spec.Scaling != nil {
		b.balancing(0)
		b.scaling()
		return
	}
	b.servers(n)
	b.balancing(b.spec.Machines.Count)
}

// servers are those from the nth on, which start from the image.
func (b *builder) servers(n int) {
	for ; n <= b.spec.Machines.Count; n++ {
		b.machine(serverAddress(n), "18-19", (n-1)%len(b.zones), Server{Image: id(AddressImage)})
	}
}

// machine adds a machine in a zone. What is particular to it is in server.
func (b *builder) machine(address, step string, zone int, server Server) {
	server.Type, server.Subnet, server.Groups, server.Where = b.spec.Machines.Type, id(
		subnetAddress(zone+1),
	), []Ref{
		id(AddressAppGroup),
	}, b.zones[zone]
	server.KeyPair, server.KeyName, server.Routes, server.Release = Ref{
		AddressKeyPair,
		"name",
	}, KeyName(
		b.spec.App,
	), id(
		AddressRouteTable,
	), b.facts.Release
	b.add(address, step, server)
}

func (b *builder) image(of Ref) {
	b.add(
		AddressImage,
		"17",
		Image{
			ImageName: ImageName(b.spec.App, b.facts.Release),
			Release:   b.facts.Release,
			Base:      b.spec.Machines.Image,
			Builder:   of,
		},
	)
}

// balancing is the load balancer, with so many servers as its targets.
func (b *builder) balancing(servers int) {
	lb, app := b.spec.LoadBalancer, b.spec.App
	b.add(AddressTargetGroup, "20", TargetGroup{
		VPC: id(AddressVPC), GroupName: balancingName(app, AddressTargetGroup), Port: b.spec.Port, Path: lb.Health.Path,
		Interval: int(lb.Health.Interval.Seconds()), Timeout: int(lb.Health.Timeout.Seconds()),
		Healthy: lb.Health.Healthy, Unhealthy: lb.Health.Unhealthy, Matcher: lb.Health.Matcher, Delay: int(lb.DeregistrationDelay.Seconds()),
	})
	b.add(AddressLoadBalancer, "21", LoadBalancer{
		BalancerName: balancingName(
			app,
			AddressLoadBalancer,
		), Subnets: b.subnets(), Groups: []Ref{id(AddressWebGroup)}, Routes: id(AddressRouteTable),
	})
	b.add(
		AddressListener,
		"21",
		Listener{LoadBalancer: arn(AddressLoadBalancer), Port: lb.Port, TargetGroup: arn(AddressTargetGroup)},
	)
	for n := 1; n <= servers; n++ {
		b.add(fmt.Sprintf("target-%d", n), "20", Target{
			TargetGroup: arn(
				AddressTargetGroup,
			), Server: id(serverAddress(n)), Port: b.spec.Port, Listener: arn(AddressListener), Image: id(AddressImage),
		})
	}
}
