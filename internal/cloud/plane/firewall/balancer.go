//go:build linux

package firewall

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Balancer describes the namespace of a node of a Network Load Balancer to one family. The kernel
// forwards flows from it, without a copy of their bytes by any process.
type Balancer struct {
	Address  netip.Addr // the node's, inside the VPC
	Services []Service  // of its family
}

// Service is a listener of a Network Load Balancer as one node serves it to clients of a family.
type Service struct {
	Family    Family
	Protocols []string // "tcp", "udp" or both
	Port      uint16
	// Terminates says that a process of the node accepts the connections and makes others to targets,
	// with its own address or that of the client. The other fields are then zero.
	Terminates bool
	// Preserve keeps the client's address as the source of what targets receive. Otherwise it
	// is the node's (preserve_client_ip.enabled).
	Preserve bool
	// ByClient sends all flows of a client's address to one target (stickiness.type source_ip).
	ByClient bool
	Backends []Backend
	// EndOthers ends the flows to targets that are not among Backends, because their
	// deregistration is over (deregistration_delay.connection_termination.enabled).
	EndOthers bool
}

// Backend is a target of a Service.
type Backend struct {
	At    netip.AddrPort
	Flows Flows
}

// Flows configures what happens to flows to a Backend.
type Flows int

// The zero Flows are those of a target in service.
const (
	Begin    Flows = iota // new ones begin
	Continue              // no new ones begin, and the others continue
	End                   // all end
)

// Ends reports whether a flow to the address is to end.
func (s Service) Ends(at netip.AddrPort) bool {
	for _, b := range s.Backends {
		if b.At == at {
			return b.Flows == End
		}
	}
	return s.EndOthers
}

// name returns a name of the service that is its own in the namespace.
func (s Service) name() string {
	return strings.Join(s.Protocols, "_") + "-" + strconv.Itoa(int(s.Port))
}

// translatedMark is the conntrack mark of flows whose source becomes the node's address.
const translatedMark = 1

// Ruleset returns the node's table. It translates the destination of new flows to a service
// into a target's, and forwards nothing else. As on AWS, a packet of a TCP connection that
// has ended, or was idle for too long, is answered with a reset (Network Load Balancer guide,
// Connection idle timeout). The security groups at the node's interface have filtered before.
func (b Balancer) Ruleset(table string) Ruleset {
	family := FamilyOf(b.Address)
	toNode := b.toNode()
	tcp := equals{protocol, byteValue(protocolNumbers["tcp"])}
	services := chain{name: "services", hook: preroutingNAT}
	var sets []set
	var chains []chain
	for _, s := range b.Services {
		if s.Terminates {
			continue
		}
		for _, name := range s.Protocols {
			is := equals{protocol, byteValue(protocolNumbers[name])}
			services.rules = append(services.rules, rule{
				toNode, is, equals{port, portValue(int(s.Port))}, goTo("service-" + s.name()),
			})
		}
		slots, of := s.distribution()
		sets, chains = append(sets, slots), append(chains, of...)
	}
	base := []chain{
		services,
		{name: "forward", hook: forwardFilter, dropByDefault: true, rules: []rule{
			{established, accept}, {invalid, tcp, resetTCP{}}, {redirected, accept},
		}},
		// For the checks of targets, and for the resets.
		{name: "own", hook: inputFilter, dropByDefault: true, rules: slices.Concat(
			family.discovery(), []rule{{established, accept}, {invalid, tcp, accept}}, b.terminated(),
		)},
		{name: "outward", hook: postroutingNAT, rules: []rule{
			{hasConnectionMark(translatedMark), snatTo{b.Address}},
		}},
	}
	return Ruleset{
		Table: table, Family: family, sets: sets, chains: slices.Concat(base, b.impersonation(), chains),
	}
}

// toNode matches packets to the node.
func (b Balancer) toNode() statement {
	return equals{FamilyOf(b.Address).destination(), addressValue(b.Address)}
}

// distribution returns the map from slots to targets, the chain of the service, which chooses
// a slot for a new flow, and a chain for each target.
func (s Service) distribution() (set, []chain) {
	slots := set{name: "slots-" + s.name(), key: []field{mark}, isVerdictMap: true}
	var receiving []netip.AddrPort
	for _, b := range s.Backends {
		if b.Flows == Begin {
			receiving = append(receiving, b.At)
		}
	}
	choose := chain{name: "service-" + s.name()}
	if len(receiving) == 0 {
		choose.rules = []rule{{drop}}
		return slots, []chain{choose}
	}
	fields := []field{s.Family.source(), ports}
	if s.ByClient {
		fields = fields[:1]
	}
	choose.rules = []rule{{chooseSlot{fields, slots.name}}}
	chains := []chain{choose}
	target := func(at netip.AddrPort) string {
		return s.name() + "-to-" + strings.ReplaceAll(at.Addr().String(), ":", "_") + "-" + strconv.Itoa(int(at.Port()))
	}
	for _, at := range receiving {
		var translate rule
		if !s.Preserve {
			translate = rule{markConnection(translatedMark)}
		}
		chains = append(chains, chain{name: target(at), rules: []rule{append(translate, dnatTo{at})}})
	}
	for slot, at := range distribute(receiving) {
		slots.add(element{key: []value{markValue(uint32(slot))}, verdict: goTo(target(at))})
	}
	return slots, chains
}
