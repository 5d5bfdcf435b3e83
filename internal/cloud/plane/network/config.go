//go:build linux

// Package network builds the local cloud's networks in the kernel: a router namespace
// for each VPC, an edge namespace that stands in for the internet, and the veth pairs
// that connect them with machines and with the host.
package network

import (
	"net"
	"net/netip"
	"reflect"
	"slices"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// Config is the desired state of the whole network.
type Config struct{ VPCs []VPC }

// Equal reports whether two configurations describe the same network.
func (c Config) Equal(other Config) bool { return reflect.DeepEqual(c, other) }

// withoutIPv6 returns the configuration of a host without IPv6.
func (c Config) withoutIPv6() Config {
	vpcs := slices.Clone(c.VPCs)
	for v := range vpcs {
		vpc := &vpcs[v]
		vpc.IPv6, vpc.Subnets, vpc.Interfaces = nil, slices.Clone(vpc.Subnets), slices.Clone(vpc.Interfaces)
		for s := range vpc.Subnets {
			vpc.Subnets[s].IPv6 = netip.Prefix{}
		}
		for i := range vpc.Interfaces {
			vpc.Interfaces[i].IPv6 = nil
		}
	}
	return Config{VPCs: vpcs}
}

// VPC is a virtual private cloud. The CIDRs of VPCs may overlap.
type VPC struct {
	ID, Region     string
	CIDRs          []netip.Prefix // of IPv4, the primary one first
	IPv6           []netip.Prefix
	Gateway        bool    // an internet gateway is attached
	Ingress        []Route // of what comes from there, to interfaces; the rest is local
	EgressOnly     bool    // there is an egress-only internet gateway
	DNSSupport     bool    // the resolver answers at the primary CIDR's base plus two and at 169.254.169.253
	Subnets        []Subnet
	Peers          []Peer
	Interfaces     []Interface
	SecurityGroups []firewall.SecurityGroup
}

// Peer is the connection of a VPC with another one, which has the same connection.
type Peer struct {
	ID      string            // of the connection
	VPCID   string            // of the other VPC
	CIDRs   []netip.Prefix    // of both families
	Members []firewall.Member // the other VPC's interfaces, to whose security groups rules refer
}

// Subnet is a range of a VPC.
type Subnet struct {
	ID     string
	CIDR   netip.Prefix // of IPv4; zero: none
	IPv6   netip.Prefix // zero: none
	Routes []Route
	ACL    *firewall.ACL // nil: no filtering
}

// block returns the subnet's block of a family, zero if it has none.
func (s Subnet) block(family firewall.Family) netip.Prefix {
	if family == firewall.IPv6 {
		return s.IPv6
	}
	return s.CIDR
}

// Route directs packets from a subnet to a destination. The longest matching
// destination wins. The VPC's own ranges are local, unless a route to one of them or to a part of it
// says otherwise. Packets between machines of one subnet follow no route.
type Route struct {
	Destination netip.Prefix
	Via         Target
	Interface   string // ID, if Via is ToInterface
	Peer        string // ID of the connection, if Via is PeerVPC
}

// Target is a route's next hop.
type Target int

// The targets of routes.
const (
	Local             Target = iota // within the VPC
	Gateway                         // the internet gateway
	EgressOnlyGateway               // the egress-only internet gateway
	Blackhole                       // packets are dropped silently
	ToInterface                     // an interface without SourceDestCheck, else as Blackhole
	NAT64                           // IPv4 addresses outside, for a NAT gateway
	PeerVPC                         // the other VPC of one of VPC.Peers
)

// Interface is a network interface.
type Interface struct {
	ID, SubnetID    string
	MAC             net.HardwareAddr // nil: the kernel chooses
	Private, Public netip.Addr       // of IPv4; zero: none
	Secondary       []firewall.Address
	IPv6            []netip.Addr
	Inside6         bool     // gateways carry nothing between its IPv6 addresses and the internet
	SecurityGroups  []string // IDs
	Number          int      // of the machine's device: 0 for ens5, 1 for ens6

	// Namespace is the path of the machine's network namespace. Empty: the interface
	// is not attached, and packets to it are dropped silently.
	Namespace string
	// OwnNamespace asks the plane to create the namespace itself, at
	// Plane.NodeNamespace, and to remove it with the interface. Namespace is ignored.
	OwnNamespace bool

	// Translates makes the interface that of a NAT gateway: its namespace, which is its
	// own, forwards what routes lead to it, with one of its addresses as the source. It has no
	// security groups and receives nothing that does not belong to such a flow. Those of its
	// addresses that are Draining are the source of no new flow.
	Translates bool
	Draining   []netip.Addr

	// ServesAPI makes the interface that of a VPC endpoint: the link-local process answers at its
	// address. Its namespace is its own.
	ServesAPI bool

	// Balances makes the interface that of a node of a Network Load Balancer: its namespace,
	// which is its own, forwards the flows of Services of both families to their targets.
	Balances bool
	Services []firewall.Service
	// Unfiltered says that the interface has no security groups and needs none: everything
	// passes. AWS has that for Network Load Balancers alone.
	Unfiltered bool

	SourceDestCheck bool // drop packets that are neither from nor to an address of the interface
	Cut             bool // drop all packets in both directions, silently
	Rate            firewall.Rate
	Recording       firewall.Recording // of its flows, for Plane.Recorded
}
