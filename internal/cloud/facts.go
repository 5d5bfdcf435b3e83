package cloud

import (
	"encoding/base64"
	"net"
	"net/netip"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/plane/metadata"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// facts tells machines about themselves, from the store.
type facts struct{ store *store.Store }

// Instance gives the instance with the private address in the VPC.
func (f facts) Instance(vpcID string, address netip.Addr) (metadata.Instance, bool) {
	view := f.store.View()
	for _, eni := range store.NetworkInterfaces.By(view, "vpc", vpcID) {
		if eni.PrivateIP != address {
			continue
		}
		if row, ok := store.Instances.Get(view, eni.InstanceID); ok {
			return describe(view, row, eni), true
		}
	}
	return metadata.Instance{}, false
}

func describe(view store.Reader, row *store.Instance, eni *store.NetworkInterface) metadata.Instance {
	i := metadata.Instance{
		ID: row.ID, ImageID: row.ImageID, Type: row.Type, AccountID: identity.Account, Region: row.Region, Zone: row.Zone,
		VPCID: row.VPCID, SubnetID: row.SubnetID, InterfaceID: eni.ID, PrivateIP: eni.PrivateIP, PublicIP: eni.PublicIP,
		PrivateName: privateName(row.Region, eni.PrivateIP), SecurityGroupIDs: eni.GroupIDs, KeyName: row.KeyName,
		ReservationID: row.ReservationID, LaunchIndex: int(row.LaunchIndex), LaunchTime: row.LaunchTime, Architecture: "x86_64",
		Tags: row.Tags, TagsEnabled: row.MetadataTags == "enabled", EndpointEnabled: row.MetadataEndpoint != "disabled",
		TokensRequired: row.MetadataTokens == "required", HopLimit: int(row.MetadataHopLimit),
	}
	if member, ok := store.ScalingInstances.Get(view, row.ID); ok {
		i.TargetLifecycleState = scalinggroup.TargetLifecycleState(member)
	}
	i.MAC, _ = net.ParseMAC(eni.MAC) // nil says the same as a row without one
	if data, err := base64.StdEncoding.DecodeString(row.UserData); err == nil && row.UserData != "" {
		i.UserData = data
	}
	if subnet, ok := store.Subnets.Get(view, row.SubnetID); ok {
		i.ZoneID, i.SubnetCIDR = subnet.ZoneID, subnet.CIDR
	}
	if vpc, ok := store.VPCs.Get(view, row.VPCID); ok {
		i.VPCCIDR = vpc.CIDR
	}
	for _, id := range eni.GroupIDs {
		if group, ok := store.SecurityGroups.Get(view, id); ok {
			i.SecurityGroups = append(i.SecurityGroups, group.Name)
		}
	}
	if row.KeyName != "" {
		for _, key := range store.KeyPairs.By(view, "name", row.Region+"/"+row.KeyName) {
			i.PublicKey = strings.TrimSpace(key.PublicKey)
		}
	}
	return i
}

func privateName(region string, address netip.Addr) string {
	return "ip-" + strings.ReplaceAll(address.String(), ".", "-") + "." + privateDomain(region)
}

func privateDomain(region string) string {
	if region == "us-east-1" {
		return "ec2.internal"
	}
	return region + ".compute.internal"
}

// names answers for the names of instances and load balancers, from the store.
type names struct{ store *store.Store }

// addresses gives what a name stands for, as machines of the VPC see it.
func (n names) addresses(vpcID, name string) (addresses []netip.Addr, known bool) {
	view := n.store.View()
	for _, lb := range store.LoadBalancers.List(view) {
		if lb.DNSName == name {
			return nodeAddresses(view, lb), true
		}
	}
	vpc, ok := store.VPCs.Get(view, vpcID)
	if !ok || !strings.HasSuffix(name, "."+privateDomain(vpc.Region)) {
		return nil, false
	}
	for _, eni := range store.NetworkInterfaces.By(view, "vpc", vpcID) {
		if privateName(vpc.Region, eni.PrivateIP) == name {
			addresses = append(addresses, eni.PrivateIP)
		}
	}
	return addresses, true
}

// nodeAddresses are public for a load balancer that faces the internet, and
// private for an internal one (Elastic Load Balancing User Guide).
func nodeAddresses(view store.Reader, lb *store.LoadBalancer) []netip.Addr {
	var addresses []netip.Addr
	for _, node := range lb.Nodes {
		eni, ok := store.NetworkInterfaces.Get(view, node.InterfaceID)
		switch {
		case !ok:
		case eni.PublicIP.IsValid():
			addresses = append(addresses, eni.PublicIP)
		default:
			addresses = append(addresses, eni.PrivateIP)
		}
	}
	return slices.Compact(addresses)
}

// name gives the name of a private address in the VPC.
func (n names) name(vpcID string, address netip.Addr) (string, bool) {
	view := n.store.View()
	vpc, ok := store.VPCs.Get(view, vpcID)
	if !ok || !vpc.CIDR.Contains(address) {
		return "", false
	}
	return privateName(vpc.Region, address), true
}
