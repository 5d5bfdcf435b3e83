//go:build linux

package firewall

import (
	"net/netip"
	"slices"

	"github.com/google/nftables/expr"
)

// Router describes a VPC's router.
type Router struct {
	Family         Family         // of all addresses, except those of Members and of rules
	CIDRs          []netip.Prefix // of the VPC, the primary one first
	Uplink         string         // device towards the internet
	UplinkMark     uint32         // of packets from there; zero: none
	Peers          []Peer
	Resolver       bool // DNS answers at VPCResolverAddress and ResolverAddress, or at ResolverAddress6
	Subnets        []Subnet
	Interfaces     []Interface // attached to the router
	Members        []Member    // all addresses of the VPC's and its peers' interfaces, attached or not
	Flows          uint32      // most open flows that each interface began; 0: no limit
	SecurityGroups []SecurityGroup

	recording bool // what records says
}

// Peer is another VPC, to which routes lead.
type Peer struct {
	Device string // towards it
	CIDRs  []netip.Prefix
}

// Subnet is a range of the VPC. The router marks the packets that its machines send.
type Subnet struct {
	ID   string
	Mark uint32
	CIDR netip.Prefix
	ACL  *ACL // nil: no filtering
}

// Interface is a network interface behind a device of the router.
type Interface struct {
	ID, Device     string
	Mark           uint32     // its subnet's
	Private        netip.Addr // zero: no address
	Public         netip.Addr // zero: no public address, or no route to the internet
	Secondary      []Address
	Intercepted    bool     // a route leads what comes from the internet to another interface first
	SecurityGroups []string // IDs
	SourceCheck    bool     // drop packets whose source is not of the interface; else routes can lead to it
	Cut            bool     // drop all packets in both directions
	Rate           Rate
	Recording      Recording
	Translates     bool // belongs to a NAT gateway, and has no security groups
	// Balances says that the interface is that of a Network Load Balancer's node, which forwards
	// flows: their replies return to it, whatever their destination, by the routing table that
	// ReturnMark selects.
	Balances   bool
	ReturnMark uint32
	// Unfiltered lets everything pass in both directions, because the interface has no security
	// groups and needs none.
	Unfiltered bool
}

// Address is a private address of an interface. One of IPv6 is its own public address.
type Address struct {
	Private netip.Addr
	Public  netip.Addr // zero: no public address, or no route to the internet
}

func (i Interface) addresses() []Address {
	if !i.Private.IsValid() {
		return nil
	}
	return append([]Address{{i.Private, i.Public}}, i.Secondary...)
}

// Member is an interface as security group references see it.
type Member struct {
	Private        netip.Addr
	SecurityGroups []string // IDs
}

// Ruleset returns the router's table.
//
// A packet between machines first passes the network ACLs of both subnets. Packets of
// an established flow are then accepted. For any other packet, the chain of the
// sender's interface tries the egress rules of its security groups, and the first rule
// that allows the packet leads to the chain of the receiver's interface, which tries
// the ingress rules. Whatever is not accepted on this path is dropped silently.
func (r Router) Ruleset(table string) Ruleset {
	r.recording = r.records()
	base := []chain{
		r.sanitizeChain(), r.servicesChain(), r.forwardChain(), r.receiveChain(), r.cutOffChain(),
	}
	if r.Family == IPv4 {
		base = append(base, r.destinationNATChain(), r.sourceNATChain())
	}
	base = append(base, r.returnChain()...)
	base = append(base, r.refuseChain()...)
	sets := append(r.interfaceSets(), r.memberSets()...)
	sets = append(sets, r.balancerSets()...)
	sets = append(sets, r.rateSets()...)
	if r.Flows > 0 {
		sets = append(sets, flowSet(inDevice))
	}
	if r.Resolver {
		sets = append(sets, querySet())
	}
	return Ruleset{
		Table:  table,
		Family: r.Family,
		sets:   sets,
		chains: slices.Concat(base, r.rateChains(), r.aclChains(), r.interfaceChains(), r.securityGroupChains()),
	}
}

// interfaceSets returns the sets and maps that the base chains look up.
func (r Router) interfaceSets() []set {
	cut := set{name: "cut", key: []field{inDevice}}
	sources := set{name: "sources", key: []field{inDevice, r.Family.source()}}
	unchecked := set{name: "unchecked", key: []field{inDevice}}
	subnets := set{name: "subnets", key: []field{inDevice}, value: &mark}
	senders := set{name: "senders", key: []field{inDevice}, isVerdictMap: true}
	receivers := set{name: "receivers", key: []field{r.Family.destination()}, isVerdictMap: true}
	if r.UplinkMark != 0 {
		subnets.add(element{key: []value{deviceValue(r.Uplink)}, value: markValue(r.UplinkMark)})
	}
	for _, i := range r.Interfaces {
		device := deviceValue(i.Device)
		if i.Cut {
			cut.add(element{key: []value{device}})
		}
		if !i.SourceCheck {
			unchecked.add(element{key: []value{device}})
		}
		for _, a := range i.addresses() {
			addr := addressValue(a.Private)
			if i.SourceCheck {
				sources.add(element{key: []value{device, addr}})
			}
			receivers.add(element{key: []value{addr}, verdict: goTo(receiverChain(i.ID))})
		}
		subnets.add(element{key: []value{device}, value: markValue(i.Mark)})
		senders.add(element{key: []value{device}, verdict: goTo(senderChain(i.ID))})
	}
	return slices.Concat(
		[]set{cut, sources, unchecked, subnets}, r.publicSets(), r.interceptedSets(), []set{senders, receivers},
		r.forwarderSets(),
	)
}

// publicSets returns the maps between private and public IPv4 addresses, or the set of the IPv6
// addresses that the internet reaches.
func (r Router) publicSets() []set {
	private := set{name: "private", key: []field{destination}, value: &destination}
	public := set{name: "public", key: []field{source}, value: &source}
	reached := set{name: "public", key: []field{destination6}}
	for _, i := range r.Interfaces {
		for _, a := range i.addresses() {
			if a.Public.IsValid() && !(i.Intercepted && r.Family == IPv4) {
				private.add(element{key: []value{addressValue(a.Public)}, value: addressValue(a.Private)})
				public.add(element{key: []value{addressValue(a.Private)}, value: addressValue(a.Public)})
				reached.add(element{key: []value{addressValue(a.Public)}})
			}
		}
	}
	if r.Family == IPv6 {
		return []set{reached}
	}
	return []set{private, public}
}

// forwards reports whether routes can lead to the interface. None lead to that of a load
// balancer's node.
func (i Interface) forwards() bool { return !i.SourceCheck && !i.Balances }

// forwarderSets returns the map from the devices of interfaces to which routes can lead to
// what receives the packets there, if there are any: the interfaces' security groups, and
// nothing at NAT gateways. A set has the interfaces' own addresses, to which no route leads.
func (r Router) forwarderSets() []set {
	forwarders := set{name: "forwarders", key: []field{outDevice}, isVerdictMap: true}
	owners := set{name: "owners", key: []field{outDevice, r.Family.destination()}}
	for _, i := range r.Interfaces {
		receives := goTo(receiverChain(i.ID))
		if i.Translates {
			receives = accept
		}
		if !i.forwards() {
			continue
		}
		forwarders.add(element{key: []value{deviceValue(i.Device)}, verdict: receives})
		for _, a := range i.addresses() {
			owners.add(element{key: []value{deviceValue(i.Device), addressValue(a.Private)}})
		}
	}
	if len(forwarders.elements) == 0 {
		return nil
	}
	return []set{forwarders, owners}
}

// forwarded matches packets that leave by the device of an interface without being for one of its
// addresses, if routes can lead to it.
func (r Router) forwarded() statement {
	return inSet{[]field{outDevice, r.Family.destination()}, "owners", true}
}

// toForwarders is the rule for packets that routes lead to interfaces.
func (r Router) toForwarders() rule { return rule{r.forwarded(), verdictMap{outDevice, "forwarders"}} }

// outside matches an address that is in none of the blocks.
func outside(blocks []netip.Prefix, address field) rule {
	var matches rule
	for _, block := range blocks {
		matches = append(matches, inPrefix{address, block, true})
	}
	return matches
}

// sanitizeChain drops packets from cut interfaces, packets beyond the sender's rate and packets
// with a source that is not the sender's, and marks packets with the subnet they come from.
func (r Router) sanitizeChain() chain {
	fromUplink, source := equals{inDevice, deviceValue(r.Uplink)}, r.Family.source()
	c := chain{name: "sanitize", hook: preroutingRaw}
	for _, block := range r.CIDRs {
		c.rules = append(c.rules, rule{fromUplink, inPrefix{source, block, false}, drop})
	}
	c.rules = append(c.rules, r.arrive()...)
	c.rules = append(c.rules, rule{fromUplink, accept})
	for _, p := range r.Peers {
		from := rule{equals{inDevice, deviceValue(p.Device)}}
		c.rules = append(c.rules, slices.Concat(from, outside(p.CIDRs, source), rule{drop}), append(from, accept))
	}
	c.rules = append(c.rules,
		rule{inSet{[]field{inDevice}, "cut", false}, drop},
		rule{verdictMap{inDevice, "sending"}},
		rule{setMark{inDevice, "subnets"}},
	)
	if r.Family == IPv6 {
		c.rules = append(c.rules, neighborDiscovery())
	}
	c.rules = append(c.rules,
		rule{inSet{[]field{inDevice}, "unchecked", false}, accept},
		rule{inSet{[]field{inDevice, source}, "sources", true}, drop},
	)
	return c
}

// servicesChain lets machines reach the resolver, the instance metadata service and the
// local cloud's APIs. Security groups and network ACLs do not filter this traffic (Amazon
// VPC User Guide, Security groups).
func (r Router) servicesChain() chain {
	metadata, resolvers := MetadataAddress, []netip.Addr{ResolverAddress, VPCResolverAddress(r.CIDRs[0])}
	if r.Family == IPv6 {
		metadata, resolvers = MetadataAddress6, []netip.Addr{ResolverAddress6}
	}
	tcp, udp := equals{protocol, byteValue(6)}, equals{protocol, byteValue(17)}
	http, dns, api := equals{port, portValue(80)}, equals{port, portValue(53)}, equals{port, portValue(APIPort)}
	destination := r.Family.destination()
	c := chain{name: "services", hook: inputFilter, dropByDefault: true, rules: append(r.Family.discovery(),
		rule{equals{inDevice, deviceValue(r.Uplink)}, drop},
	)}
	for _, p := range r.Peers {
		c.rules = append(c.rules, rule{equals{inDevice, deviceValue(p.Device)}, drop})
	}
	c.rules = append(c.rules, r.limitFlows()...)
	c.rules = append(c.rules,
		rule{equals{destination, addressValue(metadata)}, tcp, http, accept},
		rule{equals{destination, addressValue(metadata)}, tcp, api, accept},
	)
	if r.Resolver {
		for _, addr := range resolvers {
			to := equals{destination, addressValue(addr)}
			c.rules = append(c.rules,
				rule{to, udp, dns, queriesOver{}, drop}, rule{to, udp, dns, accept}, rule{to, tcp, dns, accept})
		}
	}
	return c
}

// forwardChain applies network ACLs to every packet and security groups to new flows.
func (r Router) forwardChain() chain {
	destination := r.Family.destination()
	c := chain{name: "forward", hook: forwardFilter, dropByDefault: true, rules: r.restoreMarks()}
	for _, s := range r.Subnets {
		if s.ACL != nil {
			c.rules = append(c.rules, rule{equals{mark, markValue(s.Mark)}, jumpTo(leaveChain(s.ID))})
		}
	}
	c.rules = append(c.rules, r.enterBalancers()...)
	for _, s := range r.Subnets {
		if s.ACL != nil {
			c.rules = append(c.rules, rule{inPrefix{destination, s.CIDR, false}, jumpTo(enterChain(s.ID))})
		}
	}
	c.rules = append(c.rules, r.enterForwarders()...)
	c.rules = append(c.rules,
		rule{established, accept},
		rule{invalid, drop},
	)
	c.rules = append(c.rules, r.dropPrivate()...)
	c.rules = append(c.rules, rule{equals{inDevice, deviceValue(r.Uplink)}, goTo("receive")})
	for _, p := range r.Peers {
		c.rules = append(c.rules, rule{equals{inDevice, deviceValue(p.Device)}, goTo("receive")})
	}
	c.rules = append(c.rules, r.limitFlows()...)
	c.rules = append(c.rules, rule{verdictMap{inDevice, "senders"}})
	return c
}

// dropPrivate returns the rules that keep addresses that are not public from the internet. A
// private source without a public address cannot reach it. An IPv6 address that it does not
// reach can nevertheless begin flows, through an egress-only internet gateway; an address that is not
// the VPC's, which an interface without the source check may send from, cannot.
func (r Router) dropPrivate() []rule {
	in, out := equals{inDevice, deviceValue(r.Uplink)}, equals{outDevice, deviceValue(r.Uplink)}
	if r.Family == IPv6 {
		foreign := slices.Concat(rule{out}, outside(r.CIDRs, source6), rule{drop})
		return []rule{{in, inSet{[]field{destination6}, "public", true}, drop}, foreign}
	}
	private := rule{out, inSet{[]field{source}, "public", true}}
	if r.intercepts() {
		private = append(private, inSet{[]field{source}, "leaving", true})
	}
	return []rule{append(private, drop)}
}

// enterForwarders returns the rules that apply the network ACLs of interfaces' subnets to
// packets that routes lead to the interfaces.
func (r Router) enterForwarders() []rule {
	var rules []rule
	for _, i := range r.Interfaces {
		for _, s := range r.Subnets {
			if i.forwards() && s.Mark == i.Mark && s.ACL != nil {
				leads := equals{outDevice, deviceValue(i.Device)}
				rules = append(rules, rule{leads, r.forwarded(), jumpTo(enterChain(s.ID))})
			}
		}
	}
	return rules
}

// limitFlows returns the rule that drops new flows of interfaces that have too many.
func (r Router) limitFlows() []rule {
	if r.Flows == 0 {
		return nil
	}
	return []rule{{isNew, flowsOver{inDevice, r.Flows}, drop}}
}

// receiveChain receives new flows that the sender's security groups allow.
func (r Router) receiveChain() chain {
	c := chain{name: "receive", rules: []rule{{equals{outDevice, deviceValue(r.Uplink)}, accept}}}
	for _, p := range r.Peers {
		c.rules = append(c.rules, rule{equals{outDevice, deviceValue(p.Device)}, accept})
	}
	if len(r.forwarderSets()) > 0 {
		c.rules = append(c.rules, r.toForwarders())
	}
	c.rules = append(c.rules, rule{verdictMap{r.Family.destination(), "receivers"}}, rule{drop})
	return c
}

// cutOffChain drops packets to cut interfaces, including those of the router's services, and
// packets beyond the receiver's rate.
func (r Router) cutOffChain() chain {
	return chain{name: "cut-off", hook: postroutingRaw, rules: append([]rule{
		{inSet{[]field{outDevice}, "cut", false}, drop},
		{verdictMap{outDevice, "receiving"}},
	}, r.leave()...)}
}

// destinationNATChain translates public destinations into private ones.
func (r Router) destinationNATChain() chain {
	return chain{name: "inward", hook: preroutingNAT, rules: []rule{
		{equals{inDevice, deviceValue(r.Uplink)}, nat{expr.NATTypeDestNAT, destination, "private"}},
	}}
}

// sourceNATChain translates private sources into public ones.
func (r Router) sourceNATChain() chain {
	return chain{name: "outward", hook: postroutingNAT, rules: []rule{
		{equals{outDevice, deviceValue(r.Uplink)}, nat{expr.NATTypeSourceNAT, source, "public"}},
	}}
}
