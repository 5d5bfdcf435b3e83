package store

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are ids.
var (
	NetworkInterfaces = newTable(
		"network_interfaces",
		func(r *NetworkInterface) string { return r.ID },
		(*NetworkInterface).region,
	)
	NetworkInterfacesByInstance = NetworkInterfaces.indexBy(
		"instance",
		func(r *NetworkInterface) string { return r.InstanceID },
	)
	networkInterfacesByAddress = NetworkInterfaces.indexByAll(
		"address",
		func(r *NetworkInterface) (all []string) {
			for _, address := range r.Addresses() {
				all = append(all, addressIn(r.SubnetID, address.Private))
			}
			if len(all) == 0 {
				all = []string{addressIn(r.SubnetID, netip.Addr{})}
			}
			return all
		},
	)
	NetworkInterfacesByIPv6 = NetworkInterfaces.indexByAll(
		"ipv6",
		func(r *NetworkInterface) (all []string) {
			for _, address := range r.IPv6 {
				all = append(all, addressText(address))
			}
			return all
		},
	)
	NetworkInterfacesByPublicIP = NetworkInterfaces.indexByAll(
		"public_ip",
		func(r *NetworkInterface) (all []string) {
			for _, address := range r.Addresses() {
				all = append(all, addressText(address.Public))
			}
			return all
		},
	)
)

// NetworkInterfacesInVPC returns the network interfaces in a VPC in the order of their ids. It asks
// each subnet: an index by VPC would take as much memory as the rows themselves.
func NetworkInterfacesInVPC(r Reader, vpcID string) []*NetworkInterface {
	var all []*NetworkInterface
	for _, subnet := range SubnetsByVPC.List(r, vpcID) {
		all = append(all, NetworkInterfacesInSubnet(r, subnet.ID)...)
	}
	slices.SortFunc(all, func(a, b *NetworkInterface) int { return strings.Compare(a.ID, b.ID) })
	return slices.Compact(all)
}

// NetworkInterfaceInVPC returns the network interface in a VPC that has an address, which is a private
// one or of IPv6.
func NetworkInterfaceInVPC(r Reader, vpcID string, address netip.Addr) (*NetworkInterface, bool) {
	if address.Is6() {
		for _, row := range NetworkInterfacesByIPv6.List(r, addressText(address)) {
			return row, row.VPCID == vpcID
		}
		return nil, false
	}
	for _, subnet := range SubnetsByVPC.List(r, vpcID) {
		if !subnet.CIDR.Contains(address) {
			continue
		}
		return NetworkInterfaceWithPrivateIP(r, subnet.ID, address)
	}
	return nil, false
}

// NetworkInterfacesInSubnet returns the network interfaces in a subnet, in no particular
// order, each as often as it has private addresses, and at least once.
func NetworkInterfacesInSubnet(r Reader, subnetID string) []*NetworkInterface {
	return networkInterfacesByAddress.within(r, addressIn(subnetID, netip.Addr{}))
}

// NetworkInterfaceWithPrivateIP returns the network interface in a subnet that has an address.
func NetworkInterfaceWithPrivateIP(r Reader, subnetID string, address netip.Addr) (*NetworkInterface, bool) {
	for _, row := range networkInterfacesByAddress.List(r, addressIn(subnetID, address)) {
		return row, true
	}
	return nil, false
}

func addressIn(subnetID string, address netip.Addr) string {
	return subnetID + "/" + addressText(address)
}

// addressText returns the indexed value of an address, which the zero Addr does not have.
func addressText(address netip.Addr) string {
	if !address.IsValid() {
		return ""
	}
	return address.String()
}

// NetworkInterface is an elastic network interface.
type NetworkInterface struct {
	ID, VPCID, SubnetID, Zone string
	Region                    identity.Region
	MAC                       string
	PrivateIP                 netip.Addr // of IPv4; zero: none, as the subnet has no such addresses
	PublicIP                  netip.Addr // zero: no public address
	Secondary                 []InterfaceAddress
	IPv6                      []netip.Addr
	PrimaryIPv6               bool // the first IPv6 address stays while the interface is attached
	// PublicOnStart is true if the interface was launched with a public IP address.
	// A start after a stop then assigns a new one.
	PublicOnStart bool
	GroupIDs      []string
	Description   string
	// Type is "interface", "load_balancer", "network_load_balancer", "nat_gateway",
	// "ec2_instance_connect_endpoint" or "vpc_endpoint".
	Type                string
	RequesterID         string // "amazon-elb" if a load balancer owns it
	RequesterManaged    bool
	SourceDestCheck     bool
	DeleteOnTermination bool
	InstanceID          string
	LoadBalancerARN     string
	NatGatewayID        string
	AttachmentID        string
	DeviceIndex         int32
	AttachedAt          time.Time
	Tags                Tags
	// ReleasedAt is when the interface of a deleted load balancer disappears; zero: its
	// load balancer exists, or it belongs to none.
	ReleasedAt time.Time
	State      string // "available", "in-use"
}

func (r *NetworkInterface) region() identity.Region { return r.Region }

// InterfaceAddress is a private address of a network interface.
type InterfaceAddress struct {
	Private netip.Addr
	Public  netip.Addr // zero: no public address
}

// Addresses returns the private addresses of an interface, the primary one first.
func (r *NetworkInterface) Addresses() []InterfaceAddress {
	if !r.PrivateIP.IsValid() {
		return nil
	}
	return append([]InterfaceAddress{{r.PrivateIP, r.PublicIP}}, r.Secondary...)
}

// FirstIPv6 returns the first IPv6 address of an interface; zero if it has none.
func (r *NetworkInterface) FirstIPv6() netip.Addr {
	if len(r.IPv6) == 0 {
		return netip.Addr{}
	}
	return r.IPv6[0]
}

// Has reports whether an interface has a private address.
func (r *NetworkInterface) Has(private netip.Addr) bool {
	return slices.ContainsFunc(r.Addresses(), func(a InterfaceAddress) bool { return a.Private == private })
}

// IsPublic reports whether an interface has a public address.
func (r *NetworkInterface) IsPublic() bool {
	return slices.ContainsFunc(r.Addresses(), func(a InterfaceAddress) bool { return a.Public.IsValid() })
}

// SetPublic sets the public address of a private one.
func (r *NetworkInterface) SetPublic(private, public netip.Addr) {
	if private == r.PrivateIP {
		r.PublicIP = public
		return
	}
	r.Secondary = slices.Clone(r.Secondary)
	for i, address := range r.Secondary {
		if address.Private == private {
			r.Secondary[i].Public = public
		}
	}
}
