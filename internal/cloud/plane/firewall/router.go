package firewall

import (
	"net/netip"
	"slices"

	"github.com/google/nftables/expr"
)

// Router is what a VPC's router must know to filter and to translate.
type Router struct {
	CIDR       netip.Prefix
	Uplink     string // device towards the internet
	Resolver   bool   // DNS answers at the base of CIDR plus two and at ResolverAddress
	Subnets    []Subnet
	Interfaces []Interface // those that are wired to the router
	Members    []Member    // all interfaces of the VPC
	Groups     []Group
}

// Subnet is a range of the VPC. Packets that its machines send bear its mark.
type Subnet struct {
	ID   string
	Mark uint32
	CIDR netip.Prefix
	ACL  *ACL
}

// Interface is a network interface behind a device of the router.
type Interface struct {
	ID, Device  string
	Mark        uint32
	Private     netip.Addr
	Public      netip.Addr // zero: none, or no way to the internet
	Groups      []string
	SourceCheck bool
	Cut         bool
}

// Member is an address that group references mean.
type Member struct {
	Private netip.Addr
	Groups  []string
}

// Addresses at which every VPC has its services (Amazon EC2 User Guide, Instance
// metadata service; Amazon VPC User Guide, Amazon DNS server).
var (
	MetadataAddress = netip.AddrFrom4([4]byte{169, 254, 169, 254})
	ResolverAddress = netip.AddrFrom4([4]byte{169, 254, 169, 253})
)

// ResolverOf gives the resolver's address in a VPC's own range: its base plus two.
func ResolverOf(vpc netip.Prefix) netip.Addr { return vpc.Masked().Addr().Next().Next() }

// Priorities of netfilter hooks (netfilter_ipv4.h).
const (
	raw    = -300
	dstnat = -100
	filter = 0
	srcnat = 100
)

// Ruleset gives the router's table.
//
// A packet between machines first passes the network ACLs of both subnets. If it
// belongs to no known flow, the chain of its sender's interface then tries the
// sender's groups; the first rule that allows it leads on to the receivers'
// chains, of which one tries the receiver's groups. Whatever is not accepted on
// that way is dropped without a word.
func (r Router) Ruleset(table string) Ruleset {
	return Ruleset{Table: table, sets: r.sets(), chains: slices.Concat(
		[]chain{r.sanitize(), r.services(), r.forward(), r.receivers(), r.cutOff(), r.inward(), r.outward()},
		r.accessLists(), r.interfaceChains(), r.groupChains(),
	)}
}

func (r Router) sets() []set {
	cut := set{name: "cut", key: []field{inDevice}}
	sources := set{name: "sources", key: []field{inDevice, source}}
	unchecked := set{name: "unchecked", key: []field{inDevice}}
	subnets := set{name: "subnets", key: []field{inDevice}, value: &mark}
	private := set{name: "private", key: []field{destination}, value: &destination}
	public := set{name: "public", key: []field{source}, value: &source}
	senders := set{name: "senders", key: []field{inDevice}, verdicts: true}
	receivers := set{name: "receivers", key: []field{destination}, verdicts: true}
	for _, i := range r.Interfaces {
		dev, addr := device(i.Device), address(i.Private)
		if i.Cut {
			cut.elements = append(cut.elements, element{key: []value{dev}})
		}
		if i.SourceCheck {
			sources.elements = append(sources.elements, element{key: []value{dev, addr}})
		} else {
			unchecked.elements = append(unchecked.elements, element{key: []value{dev}})
		}
		if i.Public.IsValid() {
			private.elements = append(private.elements, element{key: []value{address(i.Public)}, value: addr})
			public.elements = append(public.elements, element{key: []value{addr}, value: address(i.Public)})
		}
		subnets.elements = append(subnets.elements, element{key: []value{dev}, value: markOf(i.Mark)})
		senders.elements = append(senders.elements, element{key: []value{dev}, action: follow("from-" + i.ID)})
		receivers.elements = append(receivers.elements, element{key: []value{addr}, action: follow("to-" + i.ID)})
	}
	all := []set{cut, sources, unchecked, subnets, private, public, senders, receivers}
	for _, id := range r.referenced() {
		members := set{name: "members-" + id, key: []field{source}}
		for _, m := range r.Members {
			if slices.Contains(m.Groups, id) {
				members.elements = append(members.elements, element{key: []value{address(m.Private)}})
			}
		}
		all = append(all, members)
	}
	return all
}

// sanitize drops what cut-off interfaces send and what bears a source that is
// not the sender's, and notes the subnet that a packet comes from.
func (r Router) sanitize() chain {
	return chain{name: "sanitize", hook: "prerouting", kind: "filter", prio: raw, rules: []rule{
		{is{inDevice, device(r.Uplink)}, inRange{source, r.CIDR, false}, drop},
		{is{inDevice, device(r.Uplink)}, accept},
		{inSet{[]field{inDevice}, "cut", false}, drop},
		{marking{inDevice, "subnets"}},
		{inSet{[]field{inDevice}, "unchecked", false}, accept},
		{inSet{[]field{inDevice, source}, "sources", true}, drop},
	}}
}

// services lets machines ask the resolver and the metadata service, which no
// security group or network ACL can forbid (Amazon VPC User Guide, Security
// groups: traffic to these is not filtered).
func (r Router) services() chain {
	tcp, udp := is{protocol, octet(6)}, is{protocol, octet(17)}
	dns := is{port, portOf(53)}
	c := chain{name: "services", hook: "input", kind: "filter", prio: filter, drop: true, rules: []rule{
		{is{inDevice, device(r.Uplink)}, drop},
		{is{destination, address(MetadataAddress)}, tcp, is{port, portOf(80)}, accept},
	}}
	if r.Resolver {
		for _, at := range []netip.Addr{ResolverAddress, ResolverOf(r.CIDR)} {
			c.rules = append(
				c.rules,
				rule{is{destination, address(at)}, udp, dns, accept},
				rule{is{destination, address(at)}, tcp, dns, accept},
			)
		}
	}
	return c
}

func (r Router) forward() chain {
	c := chain{name: "forward", hook: "forward", kind: "filter", prio: filter, drop: true}
	for _, s := range r.Subnets {
		if s.ACL != nil {
			c.rules = append(c.rules, rule{is{mark, markOf(s.Mark)}, jump("leave-" + s.ID)})
		}
	}
	for _, s := range r.Subnets {
		if s.ACL != nil {
			c.rules = append(c.rules, rule{inRange{destination, s.CIDR, false}, jump("enter-" + s.ID)})
		}
	}
	uplink := device(r.Uplink)
	c.rules = append(c.rules,
		rule{established, accept},
		rule{invalid, drop},
		// A private source without a public address has no way out.
		rule{is{outDevice, uplink}, inSet{[]field{source}, "public", true}, drop},
		rule{is{inDevice, uplink}, follow("receive")},
		rule{dispatch{inDevice, "senders"}},
	)
	return c
}

// receivers goes on with what its sender may send.
func (r Router) receivers() chain {
	return chain{name: "receive", rules: []rule{
		{is{outDevice, device(r.Uplink)}, accept},
		{dispatch{destination, "receivers"}},
		{drop},
	}}
}

// cutOff keeps packets from cut-off interfaces, those of the services too.
func (r Router) cutOff() chain {
	return chain{name: "cut-off", hook: "postrouting", kind: "filter", prio: raw, rules: []rule{
		{inSet{[]field{outDevice}, "cut", false}, drop},
	}}
}

func (r Router) inward() chain {
	return chain{name: "inward", hook: "prerouting", kind: "nat", prio: dstnat, rules: []rule{
		{is{inDevice, device(r.Uplink)}, translate{expr.NATTypeDestNAT, destination, "private"}},
	}}
}

func (r Router) outward() chain {
	return chain{name: "outward", hook: "postrouting", kind: "nat", prio: srcnat, rules: []rule{
		{is{outDevice, device(r.Uplink)}, translate{expr.NATTypeSourceNAT, source, "public"}},
	}}
}
