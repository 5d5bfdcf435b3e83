package store

import (
	"net/netip"
	"time"
)

// The keys are ids.
var (
	NetworkInterfaces = newTable(
		"network_interfaces",
		func(r *NetworkInterface) string { return r.ID },
		(*NetworkInterface).region,
	)
	NetworkInterfacesByVPC = NetworkInterfaces.indexBy(
		"vpc",
		func(r *NetworkInterface) string { return r.VPCID },
	)
	NetworkInterfacesByInstance = NetworkInterfaces.indexBy(
		"instance",
		func(r *NetworkInterface) string { return r.InstanceID },
	)
	NetworkInterfacesBySecurityGroup = NetworkInterfaces.indexByAll(
		"security_group",
		func(r *NetworkInterface) []string { return r.GroupIDs },
	)
	networkInterfacesByAddress = NetworkInterfaces.indexBy(
		"address",
		func(r *NetworkInterface) string { return addressIn(r.SubnetID, r.PrivateIP) },
	)
	NetworkInterfacesByPublicIP = NetworkInterfaces.indexBy(
		"public_ip",
		func(r *NetworkInterface) string { return addressText(r.PublicIP) },
	)
)

// NetworkInterfacesInSubnet returns the network interfaces in a subnet, in no particular order.
func NetworkInterfacesInSubnet(r Reader, subnetID string) []*NetworkInterface {
	return networkInterfacesByAddress.within(r, addressIn(subnetID, netip.Addr{}))
}

// IsPrivateIPUsed reports whether a network interface in a subnet has an address.
func IsPrivateIPUsed(r Reader, subnetID string, address netip.Addr) bool {
	return networkInterfacesByAddress.Has(r, addressIn(subnetID, address))
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
	ID, Region, VPCID, SubnetID, Zone string
	MAC                               string
	PrivateIP                         netip.Addr
	PublicIP                          netip.Addr // zero: no public address
	// PublicOnStart is true if the interface was launched with a public IP address.
	// A start after a stop then assigns a new one.
	PublicOnStart bool
	GroupIDs      []string
	Description   string
	// Type is "interface", "load_balancer", "network_load_balancer", "nat_gateway" or
	// "ec2_instance_connect_endpoint".
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

func (r *NetworkInterface) region() string { return r.Region }
