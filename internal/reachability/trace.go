package reachability

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// tracer follows one connection.
type tracer struct {
	*world
	from, to spot
	port     uint16
	hops     []Hop
	back     []Hop // of the answers
}

// trace returns the path between two spots. At least one of them is in the cloud.
func (w *world) trace(from, to spot, port uint16) Path {
	t := tracer{world: w, from: from, to: to, port: port}
	source, target := t.follow()
	p := Path{From: from.end(source), To: to.end(target), Port: port, Hops: append(t.hops, t.back...)}
	p.settle()
	return p
}

// follow collects the hops. It returns the addresses that the ends see of each other.
func (t *tracer) follow() (source, target netip.Addr) {
	for _, s := range []spot{t.from, t.to} {
		if s.instance != nil && s.nic == nil {
			t.machine(s) // terminated: it has no network interface
			return source, target
		}
	}
	switch {
	case t.from.nic == nil:
		return t.from.address, t.inward(peer{address: t.from.address})
	case t.to.nic == nil:
		source = t.outward(peer{address: t.to.address})
		return source, t.to.address
	case t.to.public:
		source = t.outward(peer{address: publicAddress(t.to.nic)})
		return source, t.inward(peer{address: source})
	case aws.ToString(t.from.nic.VpcId) != aws.ToString(t.to.nic.VpcId):
		t.elsewhere()
		return privateAddress(t.from.nic), privateAddress(t.to.nic)
	default:
		t.inside()
		return privateAddress(t.from.nic), privateAddress(t.to.nic)
	}
}

func (t *tracer) add(h Hop) { t.hops = append(t.hops, h) }

// answers adds a hop of the answers. Of those, only what blocks is of interest.
func (t *tracer) answers(h Hop) {
	if h.State != Allows {
		h.Back = true
		h.Reason = "answers: " + h.Reason
		t.back = append(t.back, h)
	}
}

// machine adds the hop of a spot's machine, if it has one.
func (t *tracer) machine(s spot) {
	if s.instance == nil || s.instance.State == nil {
		return
	}
	id, state := aws.ToString(s.instance.InstanceId), s.instance.State.Name
	h := Hop{Kind: Machine, At: id, ID: id, State: Allows, Reason: s.name + " is " + string(state)}
	if state != types.InstanceStateNameRunning {
		h.State = Blocks
		if state == types.InstanceStateNameStopped {
			h.Fix = "aws ec2 start-instances --instance-ids " + id
		}
	}
	t.add(h)
}

// inside follows a connection within a VPC.
func (t *tracer) inside() {
	from, to := t.from.nic, t.to.nic
	source, target := t.from.peer(), t.to.peer()
	out, in := aws.ToString(from.SubnetId), aws.ToString(to.SubnetId)
	t.machine(t.from)
	t.add(t.groups(from, target, t.port, true))
	if out != in { // a network ACL is at the border of a subnet
		t.add(t.acl(out, target, ports{int(t.port), int(t.port)}, true))
	}
	route, via := t.route(out, aws.ToString(from.VpcId), target)
	if via != "" && via != "local" {
		route.State, route.Reason = Unknown, route.Reason+", which is not followed"
	}
	t.add(route)
	if out != in {
		t.add(t.acl(in, source, ports{int(t.port), int(t.port)}, false))
		t.answers(t.acl(in, source, linuxPorts, true))
		t.answers(t.acl(out, target, linuxPorts, false))
	}
	t.add(t.groups(to, source, t.port, false))
	t.machine(t.to)
}

// elsewhere adds the hops to a private address of another VPC, where nothing leads.
func (t *tracer) elsewhere() {
	t.machine(t.from)
	from, to := t.from.nic, t.to.nic
	vpc, other := aws.ToString(from.VpcId), aws.ToString(to.VpcId)
	h, via := t.route(aws.ToString(from.SubnetId), vpc, peer{address: privateAddress(to)})
	if strings.HasPrefix(via, "pcx-") || strings.HasPrefix(via, "tgw-") {
		h.State, h.Reason = Unknown, h.Reason+", which is not followed"
		t.add(h)
		return
	}
	h.State = Blocks
	h.Reason = fmt.Sprintf("%s is in %s, and no route leads there from %s", privateAddress(to), other, vpc)
	h.Fix = "connect both with VPC peering, or put both into one VPC"
	if public := publicAddress(to); public.IsValid() {
		h.Fix = "use its public address " + public.String() + ", or " + h.Fix
	}
	t.add(h)
}

// outward follows a connection from a VPC to an address outside of it. It returns the address
// that it comes from there.
func (t *tracer) outward(target peer) netip.Addr {
	t.machine(t.from)
	nic := t.from.nic
	subnet, vpc := aws.ToString(nic.SubnetId), aws.ToString(nic.VpcId)
	t.add(t.groups(nic, target, t.port, true))
	t.add(t.acl(subnet, target, ports{int(t.port), int(t.port)}, true))
	t.answers(t.acl(subnet, target, linuxPorts, false))
	route, via := t.route(subnet, vpc, target)
	t.add(route)
	switch {
	case strings.HasPrefix(via, "igw-"):
		return t.throughGateway(nic, via)
	case strings.HasPrefix(via, "nat-"):
		return t.throughNAT(via, target)
	case via == "local":
		last := &t.hops[len(t.hops)-1]
		last.State, last.Reason = Blocks, "nothing has the address "+target.String()+" in "+vpc
	case via != "":
		last := &t.hops[len(t.hops)-1]
		last.State, last.Reason = Unknown, last.Reason+", which is not followed"
	}
	return netip.Addr{}
}

// throughGateway adds the hops of an internet gateway, and returns the interface's public
// address.
func (t *tracer) throughGateway(nic *types.NetworkInterface, gateway string) netip.Addr {
	t.add(Hop{
		Kind: Gateway, At: gateway, ID: gateway, State: Allows,
		Reason: "is attached to " + aws.ToString(nic.VpcId),
	})
	public := publicAddress(nic)
	h := Hop{Kind: Address, At: aws.ToString(nic.NetworkInterfaceId), ID: public.String(), State: Allows}
	h.Reason = fmt.Sprintf("the gateway translates %s to it", privateAddress(nic))
	if !public.IsValid() {
		h.ID, h.State = h.At, Blocks
		h.Reason = fmt.Sprintf("%s has no public address, and an internet gateway passes no other", privateAddress(nic))
		h.Fix = associateAddress(h.At)
	}
	t.add(h)
	return public
}

func associateAddress(nic string) string {
	return "aws ec2 allocate-address && aws ec2 associate-address --network-interface-id " + nic +
		" --allocation-id eipalloc-NEW"
}

// throughNAT adds the hops of a NAT gateway, and returns its public address.
func (t *tracer) throughNAT(id string, target peer) netip.Addr {
	gateway := t.natGateway(id)
	h := Hop{Kind: NAT, At: id, ID: id, State: Blocks, Reason: "is gone"}
	if gateway != nil {
		h.Reason = "is " + string(gateway.State)
	}
	if gateway == nil || gateway.State != types.NatGatewayStateAvailable || len(gateway.NatGatewayAddresses) == 0 {
		h.Fix = "create a NAT gateway, and let the route lead to it"
		t.add(h)
		return netip.Addr{}
	}
	address := gateway.NatGatewayAddresses[0]
	public, _ := netip.ParseAddr(aws.ToString(address.PublicIp)) // the zero Addr for a private NAT gateway
	h.State, h.Reason = Allows, fmt.Sprintf("translates %s to %s", privateAddress(t.from.nic), public)
	t.add(h)
	subnet, vpc := aws.ToString(gateway.SubnetId), aws.ToString(gateway.VpcId)
	source := peer{address: privateAddress(t.from.nic)}
	port := ports{int(t.port), int(t.port)}
	if subnet != aws.ToString(t.from.nic.SubnetId) {
		t.add(t.acl(subnet, source, port, false))
		t.answers(t.acl(subnet, source, linuxPorts, true))
	}
	t.add(t.acl(subnet, target, port, true))
	t.answers(t.acl(subnet, target, clientPorts, false))
	route, via := t.route(subnet, vpc, target)
	if route.State == Allows && !strings.HasPrefix(via, "igw-") {
		route.State, route.Reason = Blocks, route.Reason+", and not to an internet gateway"
	}
	t.add(route)
	return public
}

// inward follows a connection from outside to an interface of a VPC. It returns the public
// address.
func (t *tracer) inward(source peer) netip.Addr {
	nic := t.to.nic
	id, subnet, vpc := aws.ToString(nic.NetworkInterfaceId), aws.ToString(nic.SubnetId), aws.ToString(nic.VpcId)
	public := publicAddress(nic)
	if t.to.named && !t.to.public {
		public = netip.Addr{} // nobody outside can use the private address that was named
	}
	if !public.IsValid() {
		before := len(t.hops)
		t.machine(t.to) // a stopped machine has lost its public address
		if len(t.hops) > before && t.hops[before].State != Allows {
			return public
		}
		h := Hop{Kind: Address, At: id, ID: id, State: Blocks, Fix: associateAddress(id)}
		h.Reason = fmt.Sprintf("%s is a private address, and there is no public one", privateAddress(nic))
		if other := publicAddress(nic); other.IsValid() {
			h.Reason = fmt.Sprintf("%s is private: nobody outside of %s can use it", privateAddress(nic), vpc)
			h.Fix = "use its public address " + other.String()
		}
		t.add(h)
		return public
	}
	t.add(Hop{
		Kind: Address, At: id, ID: public.String(), State: Allows,
		Reason: fmt.Sprintf("the gateway translates it to %s", privateAddress(nic)),
	})
	route, via := t.route(subnet, vpc, source)
	if route.State == Allows && !strings.HasPrefix(via, "igw-") {
		route.State, route.Fix = Blocks, t.replaceRoute(route, vpc, "igw-")
		route.Reason += ": only subnets whose route leads to an internet gateway are public"
	}
	t.add(route)
	if via != "" && route.State == Allows {
		t.add(Hop{Kind: Gateway, At: via, ID: via, State: Allows, Reason: "is attached to " + vpc})
	}
	t.add(t.acl(subnet, source, ports{int(t.port), int(t.port)}, false))
	t.answers(t.acl(subnet, source, clientPorts, true))
	t.add(t.groups(nic, source, t.port, false))
	t.machine(t.to)
	return public
}

func groupIDs(nic *types.NetworkInterface) []string {
	ids := make([]string, len(nic.Groups))
	for i, g := range nic.Groups {
		ids[i] = aws.ToString(g.GroupId)
	}
	return ids
}
