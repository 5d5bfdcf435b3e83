package addressing

import (
	"net/netip"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// InterfaceSpec describes a new network interface. All fields except Subnet can be
// left at their zero values. Attach attaches it to an instance.
type InterfaceSpec struct {
	Subnet      *store.Subnet
	PrivateIP   netip.Addr   // zero: any free address
	PublicFrom  netip.Prefix // if valid: also assign a public address from it
	Secondary   []netip.Addr // further private addresses
	Free        int          // how many further private addresses to choose
	IPv6        []netip.Addr
	FreeIPv6    int  // how many IPv6 addresses to choose
	PrimaryIPv6 bool // the first IPv6 address stays while the interface is attached
	GroupIDs    []string
	Description string
	Tags        store.Tags

	LoadBalancerARN string    // if set: make the load balancer the owner
	Network         bool      // it is a Network Load Balancer
	NatGatewayID    string    // if set: make the NAT gateway the owner
	ConnectEndpoint bool      // make an EC2 Instance Connect Endpoint the owner
	VPCEndpoint     bool      // make an interface endpoint the owner
	AttachedAt      time.Time // to the owner
}

// endpointRequester is the account of AWS that creates the network interfaces of interface endpoints
// (Amazon EC2 User Guide, Requester-managed network interfaces).
const endpointRequester = "727180483921"

// NewInterface assigns addresses to a new network interface, stores it and returns
// it. The error is one of this package's.
func NewInterface(tx *store.Tx, ids *identity.Source, spec InterfaceSpec) (*store.NetworkInterface, error) {
	subnet := spec.Subnet
	nic := &store.NetworkInterface{
		ID: ids.ID("eni-"), Region: subnet.Region, VPCID: subnet.VPCID, SubnetID: subnet.ID, Zone: subnet.Zone,
		MAC: ids.MAC(), PrivateIP: spec.PrivateIP, GroupIDs: spec.GroupIDs,
		Description: spec.Description, Tags: spec.Tags, PrimaryIPv6: spec.PrimaryIPv6,
		Type: "interface", SourceDestCheck: true, State: "available",
	}
	var err error
	switch {
	case subnet.IPv6Only() && spec.needsIPv4():
		err = ErrNoIPv4
	case subnet.IPv6Only():
		spec.FreeIPv6 = max(spec.FreeIPv6, 1-len(spec.IPv6))
	case nic.PrivateIP.IsValid():
		err = CheckPrivate(tx, subnet, nic.PrivateIP)
	default:
		nic.PrivateIP, err = FreePrivate(tx, ids, subnet)
	}
	if err != nil {
		return nil, err
	}
	if spec.PublicFrom.IsValid() {
		if nic.PublicIP, err = FreePublic(tx, ids, spec.PublicFrom); err != nil {
			return nil, err
		}
		nic.PublicOnStart = true
	}
	spec.attach(ids, nic)
	store.NetworkInterfaces.Put(tx, nic)
	if _, err = AddSecondary(tx, ids, nic, subnet, spec.Secondary, spec.Free); err == nil {
		_, err = AddIPv6(tx, ids, nic, subnet, spec.IPv6, spec.FreeIPv6)
	}
	if err != nil {
		store.NetworkInterfaces.Delete(tx, nic.ID)
		return nil, err
	}
	nic, _ = store.NetworkInterfaces.Get(tx, nic.ID)
	return nic, nil
}

// needsIPv4 reports whether an interface cannot do without IPv4 addresses: the request asks for some, or
// a service owns it.
func (spec InterfaceSpec) needsIPv4() bool {
	return spec.PrivateIP.IsValid() || len(spec.Secondary)+spec.Free > 0 || spec.PublicFrom.IsValid() || spec.isOwned()
}

func (spec InterfaceSpec) isOwned() bool {
	return spec.LoadBalancerARN != "" || spec.NatGatewayID != "" || spec.ConnectEndpoint || spec.VPCEndpoint
}

// attach makes the service that needs an interface its owner, if there is one.
func (spec InterfaceSpec) attach(ids *identity.Source, nic *store.NetworkInterface) {
	if spec.isOwned() {
		nic.State, nic.AttachmentID, nic.AttachedAt = "in-use", ids.ID("eni-attach-"), spec.AttachedAt
	}
	if spec.LoadBalancerARN != "" {
		nic.LoadBalancerARN, nic.RequesterID, nic.RequesterManaged = spec.LoadBalancerARN, "amazon-elb", true
		nic.Type, nic.DeviceIndex = "load_balancer", 1
		if spec.Network {
			nic.Type, nic.SourceDestCheck = "network_load_balancer", false
		}
	}
	if spec.NatGatewayID != "" {
		nic.NatGatewayID, nic.RequesterID, nic.RequesterManaged = spec.NatGatewayID, nic.Region.Account(), true
		nic.AttachmentID = ids.ID("ela-attach-")
		nic.Type, nic.DeviceIndex, nic.SourceDestCheck = "nat_gateway", 1, false
	}
	if spec.ConnectEndpoint {
		nic.RequesterID, nic.RequesterManaged = "ec2-instance-connect", true
		nic.Type, nic.DeviceIndex = "ec2_instance_connect_endpoint", 1
	}
	if spec.VPCEndpoint {
		nic.RequesterID, nic.RequesterManaged, nic.AttachmentID = endpointRequester, true, ids.ID("ela-attach-")
		nic.Type, nic.DeviceIndex = "vpc_endpoint", 1
	}
}
