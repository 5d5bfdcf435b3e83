package addressing

import (
	"net/netip"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// InterfaceSpec is what a new network interface should be. The zero value of each field
// but Subnet is a fair default.
type InterfaceSpec struct {
	Subnet      *store.Subnet
	PrivateIP   netip.Addr   // zero: any free one
	PublicFrom  netip.Prefix // valid: a public address of this range as well
	GroupIDs    []string
	Description string
	Tags        store.Tags

	InstanceID          string // attached to it, unless empty
	DeviceIndex         int32
	DeleteOnTermination bool
	AttachedAt          time.Time

	LoadBalancerARN string // owned by it, unless empty
}

// NewInterface makes a network interface of a subnet, stores it and returns
// it. The error is one of this package's.
func NewInterface(tx *store.Tx, ids *identity.Source, wish InterfaceSpec) (*store.NetworkInterface, error) {
	subnet := wish.Subnet
	nic := &store.NetworkInterface{
		ID: ids.ID("eni-"), Region: subnet.Region, VPCID: subnet.VPCID, SubnetID: subnet.ID, Zone: subnet.Zone,
		MAC: ids.MAC(), PrivateIP: wish.PrivateIP, GroupIDs: wish.GroupIDs, Description: wish.Description, Tags: wish.Tags,
		Type: "interface", SourceDestCheck: true, State: "available",
	}
	var err error
	if nic.PrivateIP.IsValid() {
		err = CheckPrivate(tx, subnet, nic.PrivateIP)
	} else {
		nic.PrivateIP, err = FreePrivate(tx, ids, subnet)
	}
	if err != nil {
		return nil, err
	}
	if wish.PublicFrom.IsValid() {
		if nic.PublicIP, err = FreePublic(tx, ids, wish.PublicFrom); err != nil {
			return nil, err
		}
		nic.PublicOnStart = true
	}
	if wish.InstanceID != "" || wish.LoadBalancerARN != "" {
		nic.State, nic.AttachmentID, nic.AttachedAt = "in-use", ids.ID("eni-attach-"), wish.AttachedAt
		nic.InstanceID, nic.DeviceIndex, nic.DeleteOnTermination = wish.InstanceID, wish.DeviceIndex, wish.DeleteOnTermination
	}
	if wish.LoadBalancerARN != "" {
		nic.LoadBalancerARN, nic.RequesterID, nic.RequesterManaged = wish.LoadBalancerARN, "amazon-elb", true
		nic.Type, nic.DeviceIndex = "load_balancer", 1
	}
	store.NetworkInterfaces.Put(tx, nic)
	return nic, nil
}
