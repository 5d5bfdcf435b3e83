package ec2

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/dnsname"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// completeInterface makes an endpoint an interface endpoint: network interfaces that answer as the
// service. It is pending until they are connected.
func (a *API) completeInterface(
	tx *store.Tx, vpc *store.VPC, row endpoint, in *ec2.CreateVpcEndpointInput,
) error {
	if err := a.limitInterfaceEndpoints(tx, vpc.ID); err != nil {
		return err
	}
	if err := a.addEndpointGroups(tx, row, in.SecurityGroupIds); err != nil {
		return err
	}
	if len(row.GroupIDs) == 0 {
		group, ok := groupNamed(tx, vpc.ID, defaultGroup)
		if !ok {
			return wire.Errorf("InvalidGroup.NotFound",
				"The security group '%s' does not exist in VPC '%s'", defaultGroup, vpc.ID)
		}
		row.GroupIDs = []string{group.ID}
	}
	if in.PrivateDnsEnabled == nil || *in.PrivateDnsEnabled { // it is enabled by default
		if err := enablePrivateDNS(tx, vpc, row); err != nil {
			return err
		}
	}
	row.DNSName = dnsname.Endpoint(row.ID, a.ids.Hex(8), row.Service)
	row.State = store.EndpointPending
	row.SettledAt = a.Manners.Until(row.Created, manners.CreateEndpoint, row.ID)
	return a.addEndpointSubnets(tx, row, in.SubnetIds)
}

// addEndpointGroups adds security groups to an endpoint.
func (a *API) addEndpointGroups(r store.Reader, row endpoint, ids []string) error {
	for _, id := range ids {
		group, err := securityGroups.get(r, row.Region, id)
		switch {
		case err != nil:
			return err
		case group.VPCID != row.VPCID:
			return wire.Errorf("InvalidParameter",
				"Security group %s does not belong to the VPC %s of the endpoint.", id, row.VPCID)
		case !slices.Contains(row.GroupIDs, id):
			row.GroupIDs = append(slices.Clone(row.GroupIDs), id)
		}
	}
	return a.limitInterfaceGroups(row.GroupIDs)
}

// enablePrivateDNS makes the service's own name lead to an endpoint inside its VPC.
func enablePrivateDNS(r store.Reader, vpc *store.VPC, row endpoint) error {
	if !vpc.DNSSupport || !vpc.DNSHostnames {
		return wire.Errorf("InvalidParameter", "Enabling private DNS requires both enableDnsSupport and "+
			"enableDnsHostnames VPC attributes set to true for %s", vpc.ID)
	}
	for _, other := range store.VPCEndpointsByVPC.List(r, vpc.ID) {
		if other.ID != row.ID && other.PrivateDNS && other.Service == row.Service {
			return wire.Errorf("InvalidParameter", "private-dns-enabled cannot be set because there is already a "+
				"conflicting DNS domain for %s in the VPC %s", dnsname.Service(row.Service), vpc.ID)
		}
	}
	row.PrivateDNS = true
	return nil
}

// addEndpointSubnets adds a network interface to an endpoint in each of the subnets, which are in
// different zones.
func (a *API) addEndpointSubnets(tx *store.Tx, row endpoint, ids []string) error {
	for _, id := range ids {
		subnet, err := subnets.get(tx, row.Region, id)
		if err != nil {
			return err
		}
		if subnet.VPCID != row.VPCID {
			return wire.Errorf("InvalidParameter",
				"The subnet %s does not belong to the VPC %s of the endpoint.", id, row.VPCID)
		}
		for _, eni := range interfacesOf(tx, row) {
			if eni.Zone == subnet.Zone {
				return wire.Errorf("DuplicateSubnetsInSameZone",
					"Found another VPC endpoint subnet in the availability zone of %s", id)
			}
		}
		eni, err := addressing.NewInterface(tx, a.ids, addressing.InterfaceSpec{
			Subnet: subnet, GroupIDs: row.GroupIDs, VPCEndpoint: true, AttachedAt: a.Now().UTC(),
			Description: "VPC Endpoint Interface " + row.ID,
		})
		if err != nil {
			return addressError(err, subnet)
		}
		row.InterfaceIDs = append(slices.Clone(row.InterfaceIDs), eni.ID)
	}
	return nil
}

// interfacesOf returns the network interfaces of an endpoint, in the order of their zones.
func interfacesOf(r store.Reader, row endpoint) []nic {
	var all []nic
	for _, id := range row.InterfaceIDs {
		if eni, ok := store.NetworkInterfaces.Get(r, id); ok {
			all = append(all, eni)
		}
	}
	slices.SortFunc(all, func(a, b nic) int { return strings.Compare(a.Zone, b.Zone) })
	return all
}

// modifyInterface changes an interface endpoint. What is removed makes room for what is added.
func (a *API) modifyInterface(tx *store.Tx, row endpoint, in *ec2.ModifyVpcEndpointInput) error {
	if row.State == store.EndpointDeleting {
		return endpoints.notFound(row.ID)
	}
	if err := removeEndpointSubnets(tx, row, in.RemoveSubnetIds); err != nil {
		return err
	}
	row.GroupIDs = slices.DeleteFunc(slices.Clone(row.GroupIDs), func(id string) bool {
		return slices.Contains(in.RemoveSecurityGroupIds, id)
	})
	if err := a.addEndpointGroups(tx, row, in.AddSecurityGroupIds); err != nil {
		return err
	}
	if len(row.GroupIDs) == 0 {
		return wire.Errorf("InvalidParameter", "The VPC endpoint %s needs at least one security group.", row.ID)
	}
	for _, id := range row.InterfaceIDs {
		store.NetworkInterfaces.Edit(tx, id, func(eni *store.NetworkInterface) { eni.GroupIDs = row.GroupIDs })
	}
	if err := a.addEndpointSubnets(tx, row, in.AddSubnetIds); err != nil {
		return err
	}
	switch {
	case in.PrivateDnsEnabled == nil:
		return nil
	case !*in.PrivateDnsEnabled:
		row.PrivateDNS = false
		return nil
	}
	vpc, err := vpcs.get(tx, row.Region, row.VPCID)
	if err != nil {
		return err
	}
	return enablePrivateDNS(tx, vpc, row)
}

// removeEndpointSubnets deletes the network interfaces of an endpoint in subnets.
func removeEndpointSubnets(tx *store.Tx, row endpoint, ids []string) error {
	for _, id := range ids {
		if _, err := subnets.get(tx, row.Region, id); err != nil {
			return err
		}
		for _, eni := range interfacesOf(tx, row) {
			if eni.SubnetID == id {
				addressing.DeleteInterface(tx, eni.ID)
				row.InterfaceIDs = slices.DeleteFunc(slices.Clone(row.InterfaceIDs), func(of string) bool {
					return of == eni.ID
				})
			}
		}
	}
	return nil
}

// deleteInterface begins the deletion of an interface endpoint, and completes it if it takes no time.
func (a *API) deleteInterface(tx *store.Tx, row endpoint) {
	if row.State == store.EndpointDeleting {
		return
	}
	row.State = store.EndpointDeleting
	row.SettledAt = a.Manners.Until(a.Now(), manners.DeleteEndpoint, row.ID)
	if !row.SettledAt.IsZero() {
		store.VPCEndpoints.Put(tx, row)
		return
	}
	for _, id := range row.InterfaceIDs {
		addressing.DeleteInterface(tx, id)
	}
	store.VPCEndpoints.Delete(tx, row.ID)
}

// describeInterface adds what only interface endpoints have.
func describeInterface(r store.Reader, row endpoint, item *types.VpcEndpoint) {
	item.IpAddressType = types.IpAddressTypeIpv4
	item.DnsOptions = &types.DnsOptions{DnsRecordIpType: types.DnsRecordIpTypeIpv4}
	names := []string{row.DNSName}
	for _, eni := range interfacesOf(r, row) {
		item.SubnetIds = append(item.SubnetIds, eni.SubnetID)
		item.NetworkInterfaceIds = append(item.NetworkInterfaceIds, eni.ID)
		names = append(names, dnsname.EndpointInZone(row.DNSName, eni.Zone))
	}
	for _, group := range groupIdentifiers(r, row.GroupIDs) {
		item.Groups = append(item.Groups, types.SecurityGroupIdentifier(group))
	}
	for _, name := range names {
		item.DnsEntries = append(item.DnsEntries, types.DnsEntry{
			DnsName: aws.String(name), HostedZoneId: aws.String(hostedZoneID(dnsname.EndpointDomain(row.Service))),
		})
	}
	if row.PrivateDNS {
		item.DnsEntries = append(item.DnsEntries, types.DnsEntry{
			DnsName:      aws.String(dnsname.Service(row.Service)),
			HostedZoneId: aws.String(hostedZoneID(row.ID)),
		})
	}
}

// hostedZoneID returns the id of the hosted zone of AWS's own that holds a name of endpoints. Nothing
// else has it: the local cloud's resolver needs no zone for these names.
func hostedZoneID(name string) string { return "Z" + strings.ToUpper(digits(name, 13)) }
