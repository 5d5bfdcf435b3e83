// Package network makes the networks of the local cloud in the kernel: a router
// namespace for each VPC, an edge namespace that is the internet, and the wires
// between them, the machines and the host.
package network

import (
	"net"
	"net/netip"
	"reflect"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// Config is the whole network, as it is to be.
type Config struct{ VPCs []VPC }

// Equal tells whether two configurations ask for the same network.
func (c Config) Equal(other Config) bool { return reflect.DeepEqual(c, other) }

// VPC is a virtual private cloud. CIDRs of VPCs may overlap.
type VPC struct {
	ID, Region     string
	CIDR           netip.Prefix
	Gateway        bool // an internet gateway is attached
	DNSSupport     bool // the resolver answers at the base of CIDR plus two and at 169.254.169.253
	Subnets        []Subnet
	Interfaces     []Interface
	SecurityGroups []firewall.SecurityGroup
}

// Subnet is a range of a VPC.
type Subnet struct {
	ID     string
	CIDR   netip.Prefix
	Routes []Route
	ACL    *firewall.ACL // nil: all may pass
}

// Route directs what a subnet sends to a destination. The longest destination
// that matches wins; the VPC's own range is always local.
type Route struct {
	Destination netip.Prefix
	Via         Target
}

// Target is where a route leads.
type Target int

// Targets of routes.
const (
	Local     Target = iota // within the VPC
	Gateway                 // to the internet gateway
	Blackhole               // nowhere: packets vanish
)

// Interface is a network interface.
type Interface struct {
	ID, SubnetID    string
	MAC             net.HardwareAddr // nil: the kernel's choice
	Private, Public netip.Addr       // Public zero: none
	SecurityGroups  []string

	// Namespace is the path of the network namespace with the machine's end.
	// Empty: the interface is not attached and packets to it vanish.
	Namespace string
	// OwnNamespace: the plane itself makes the namespace, at Plane.NodeNamespace,
	// and removes it with the interface. Namespace has no meaning then.
	OwnNamespace bool

	SourceDestCheck bool // packets leave only with Private as their source
	Cut             bool // nothing passes in either direction, silently
}
