package store

import (
	"net/netip"
	"time"
)

// Tables of this file.
var (
	NetworkInterfaces                = newTable("network_interfaces", func(r *NetworkInterface) string { return r.ID }, (*NetworkInterface).region)
	NetworkInterfacesByVPC           = NetworkInterfaces.indexBy("vpc", func(r *NetworkInterface) string { return r.VPCID })
	NetworkInterfacesBySubnet        = NetworkInterfaces.indexBy("subnet", func(r *NetworkInterface) string { return r.SubnetID })
	NetworkInterfacesByInstance      = NetworkInterfaces.indexBy("instance", func(r *NetworkInterface) string { return r.InstanceID })
	NetworkInterfacesBySecurityGroup = NetworkInterfaces.indexByAll("security_group", func(r *NetworkInterface) []string { return r.GroupIDs })
)

// NetworkInterface is an elastic network interface.
type NetworkInterface struct {
	ID, Region, VPCID, SubnetID, Zone string
	MAC                               string
	PrivateIP                         netip.Addr
	PublicIP                          netip.Addr // zero: none
	PublicOnStart                     bool       // launched with a public address: a start after a stop brings a new one
	GroupIDs                          []string
	Description                       string
	Type                              string // "interface", "load_balancer"
	RequesterID                       string // "amazon-elb" when a load balancer owns it
	RequesterManaged                  bool
	SourceDestCheck                   bool
	DeleteOnTermination               bool
	InstanceID                        string
	LoadBalancerARN                   string
	AttachmentID                      string
	DeviceIndex                       int32
	AttachedAt                        time.Time
	Tags                              Tags
	State                             string // "available", "in-use"
}

func (r *NetworkInterface) region() string { return r.Region }
