package firewall

import (
	"net/netip"
	"slices"

	"github.com/google/nftables/expr"
)

// Router is what a VPC's router must know to filter and to translate.
type Router struct {
	CIDR           netip.Prefix
	Uplink         string // device towards the internet
	Resolver       bool   // DNS answers at the base of CIDR plus two and at ResolverAddress
	Subnets        []Subnet
	Interfaces     []Interface // those that are wired to the router
	Members        []Member    // all interfaces of the VPC
	SecurityGroups []SecurityGroup
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
	ID, Device     string
	Mark           uint32
	Private        netip.Addr
	Public         netip.Addr // zero: none, or no way to the internet
	SecurityGroups []string
	SourceCheck    bool
	Cut            bool
}

// Member is an address that group references mean.
type Member struct {
	Private        netip.Addr
	SecurityGroups []string
}

// Addresses at which every VPC has its services (Amazon EC2 User Guide, Instance
// metadata service; Amazon VPC User Guide, Amazon DNS server).
var (
	MetadataAddress = netip.AddrFrom4([4]byte{169, 254, 169, 254})
	ResolverAddress = netip.AddrFrom4([4]byte{169, 254, 169, 253})
)

// VPCResolverAddress gives the resolver's address in a VPC's own range: its base plus two.
func VPCResolverAddress(vpc netip.Prefix) netip.Addr { return vpc.Masked().Addr().Next().Next() }

// Priorities of netfilter hooks (netfilter_ipv4.h).
const (
	priorityRaw    = -300
	priorityDstNAT = -100
	priorityFilter = 0
	prioritySrcNAT = 100
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
		[]chain{r.sanitizeChain(), r.servicesChain(), r.forwardChain(), r.receiveChain(), r.isolateChain(), r.destinationNAT(), r.sourceNAT()},
		r.aclChains(), r.interfaceChains(), r.groupChains(),
	)}
}

func (r Router) sets() []set {
	cut := set{name: "cut", key: []field{inDevice}}
	sources := set{name: "sources", key: []field{inDevice, source}}
	unchecked := set{name: "unchecked", key: []field{inDevice}}
	subnets := set{name: "subnets", key: []field{inDevice}, value: &mark}
	private := set{name: "private", key: []field{destination}, value: &destination}
	public := set{name: "public", key: []field{source}, value: &source}
	senders := set{name: "senders", key: []field{inDevice}, isVerdictMap: true}
	receivers := set{name: "receivers", key: []field{destination}, isVerdictMap: true}
	for _, i := range r.Interfaces {
		dev, addr := deviceValue(i.Device), addressValue(i.Private)
		if i.Cut {
			cut.elements = append(cut.elements, element{key: []value{dev}})
		}
		if i.SourceCheck {
			sources.elements = append(sources.elements, element{key: []value{dev, addr}})
		} else {
			unchecked.elements = append(unchecked.elements, element{key: []value{dev}})
		}
		if i.Public.IsValid() {
			private.elements = append(private.elements, element{key: []value{addressValue(i.Public)}, value: addr})
			public.elements = append(public.elements, element{key: []value{addr}, value: addressValue(i.Public)})
		}
		subnets.elements = append(subnets.elements, element{key: []value{dev}, value: markValue(i.Mark)})
		senders.elements = append(senders.elements, element{key: []value{dev}, verdict: goTo("from-" + i.ID)})
		receivers.elements = append(receivers.elements, element{key: []value{addr}, verdict: goTo("to-" + i.ID)})
	}
	all := []set{cut, sources, unchecked, subnets, private, public, senders, receivers}
	for _, id := range r.referencedGroups() {
		members := set{name: "members-" + id, key: []field{source}}
		for _, m := range r.Members {
			if slices.Contains(m.SecurityGroups, id) {
				members.elements = append(members.elements, element{key: []value{addressValue(m.Private)}})
			}
		}
		all = append(all, members)
	}
	return all
}

// sanitizeChain drops what cut-off interfaces send and what bears a source that is
// not the sender's, and notes the subnet that a packet comes from.
func (r Router) sanitizeChain() chain {
	return chain{name: "sanitize", hook: "prerouting", chainType: "filter", prio: priorityRaw, rules: []rule{
		{equals{inDevice, deviceValue(r.Uplink)}, inPrefix{source, r.CIDR, false}, drop},
		{equals{inDevice, deviceValue(r.Uplink)}, accept},
		{inSet{[]field{inDevice}, "cut", false}, drop},
		{setMark{inDevice, "subnets"}},
		{inSet{[]field{inDevice}, "unchecked", false}, accept},
		{inSet{[]field{inDevice, source}, "sources", true}, drop},
	}}
}

// servicesChain lets machines ask the resolver and the metadata service, which no
// security group or network ACL can forbid (Amazon VPC User Guide, Security
// groups: traffic to these is not filtered).
func (r Router) servicesChain() chain {
	tcp, udp := equals{protocol, byteValue(6)}, equals{protocol, byteValue(17)}
	dns := equals{port, portValue(53)}
	c := chain{name: "services", hook: "input", chainType: "filter", prio: priorityFilter, dropByDefault: true, rules: []rule{
		{equals{inDevice, deviceValue(r.Uplink)}, drop},
		{equals{destination, addressValue(MetadataAddress)}, tcp, equals{port, portValue(80)}, accept},
	}}
	if r.Resolver {
		for _, at := range []netip.Addr{ResolverAddress, VPCResolverAddress(r.CIDR)} {
			c.rules = append(
				c.rules,
				rule{equals{destination, addressValue(at)}, udp, dns, accept},
				rule{equals{destination, addressValue(at)}, tcp, dns, accept},
			)
		}
	}
	return c
}

func (r Router) forwardChain() chain {
	c := chain{name: "forward", hook: "forward", chainType: "filter", prio: priorityFilter, dropByDefault: true}
	for _, s := range r.Subnets {
		if s.ACL != nil {
			c.rules = append(c.rules, rule{equals{mark, markValue(s.Mark)}, jumpTo("leave-" + s.ID)})
		}
	}
	for _, s := range r.Subnets {
		if s.ACL != nil {
			c.rules = append(c.rules, rule{inPrefix{destination, s.CIDR, false}, jumpTo("enter-" + s.ID)})
		}
	}
	uplink := deviceValue(r.Uplink)
	c.rules = append(c.rules,
		rule{established, accept},
		rule{invalid, drop},
		// A private source without a public address has no way out.
		rule{equals{outDevice, uplink}, inSet{[]field{source}, "public", true}, drop},
		rule{equals{inDevice, uplink}, goTo("receive")},
		rule{verdictMap{inDevice, "senders"}},
	)
	return c
}

// receiveChain goes on with what its sender may send.
func (r Router) receiveChain() chain {
	return chain{name: "receive", rules: []rule{
		{equals{outDevice, deviceValue(r.Uplink)}, accept},
		{verdictMap{destination, "receivers"}},
		{drop},
	}}
}

// isolateChain keeps packets from cut-off interfaces, those of the services too.
func (r Router) isolateChain() chain {
	return chain{name: "cut-off", hook: "postrouting", chainType: "filter", prio: priorityRaw, rules: []rule{
		{inSet{[]field{outDevice}, "cut", false}, drop},
	}}
}

func (r Router) destinationNAT() chain {
	return chain{name: "inward", hook: "prerouting", chainType: "nat", prio: priorityDstNAT, rules: []rule{
		{equals{inDevice, deviceValue(r.Uplink)}, nat{expr.NATTypeDestNAT, destination, "private"}},
	}}
}

func (r Router) sourceNAT() chain {
	return chain{name: "outward", hook: "postrouting", chainType: "nat", prio: prioritySrcNAT, rules: []rule{
		{equals{outDevice, deviceValue(r.Uplink)}, nat{expr.NATTypeSourceNAT, source, "public"}},
	}}
}
