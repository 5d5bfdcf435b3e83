package ec2

import (
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/dnsname"
	"aloft.dev/aloft/internal/cloud/store"
)

func networkInterfaceItem(r store.Reader) func(nic) types.NetworkInterface {
	return func(row nic) types.NetworkInterface {
		item := types.NetworkInterface{
			NetworkInterfaceId: aws.String(row.ID),
			OwnerId:            aws.String(row.Region.Account()),
			VpcId:              aws.String(row.VPCID),
			SubnetId:           aws.String(row.SubnetID),
			AvailabilityZone:   aws.String(row.Zone),
			AvailabilityZoneId: optionalString(zoneIDOf(r, row)),
			Description:        aws.String(row.Description),
			Groups:             groupIdentifiers(r, row.GroupIDs),
			InterfaceType:      interfaceType(row),
			MacAddress:         aws.String(row.MAC),
			Status:             types.NetworkInterfaceStatus(row.State),
			PrivateIpAddress:   optionalAddress(row.PrivateIP),
			PrivateDnsName:     optionalString(interfaceDNSName(row)),
			Association:        associationItem(r, row, primaryOf(row)),
			PrivateIpAddresses: list(row.Addresses(), privateAddressItem(r, row)),
			Ipv6Address:        firstIPv6(row),
			Ipv6Addresses:      ipv6Items(row),
			RequesterId:        optionalString(row.RequesterID),
			RequesterManaged:   aws.Bool(row.RequesterManaged),
			SourceDestCheck:    aws.Bool(row.SourceDestCheck),
			TagSet:             tagSet(row.Tags),
			Operator:           &types.OperatorResponse{Managed: aws.Bool(false)},
		}
		if row.AttachmentID != "" {
			item.Attachment = &types.NetworkInterfaceAttachment{
				AttachmentId:        aws.String(row.AttachmentID),
				AttachTime:          aws.Time(row.AttachedAt),
				DeleteOnTermination: aws.Bool(row.DeleteOnTermination),
				DeviceIndex:         aws.Int32(row.DeviceIndex),
				NetworkCardIndex:    aws.Int32(0),
				InstanceId:          optionalString(row.InstanceID),
				InstanceOwnerId:     aws.String(instanceOwner(row)),
				Status:              types.AttachmentStatusAttached,
			}
		}
		return item
	}
}

// primaryOf returns the primary private address of an interface with its public one, zero if it has
// none.
func primaryOf(row nic) store.InterfaceAddress {
	return store.InterfaceAddress{Private: row.PrivateIP, Public: row.PublicIP}
}

// optionalAddress returns nil for the zero address.
func optionalAddress(address netip.Addr) *string {
	if !address.IsValid() {
		return nil
	}
	return aws.String(address.String())
}

// privateAddressItem returns a function that describes a private address of an interface.
func privateAddressItem(
	r store.Reader, row nic,
) func(store.InterfaceAddress) types.NetworkInterfacePrivateIpAddress {
	return func(address store.InterfaceAddress) types.NetworkInterfacePrivateIpAddress {
		return types.NetworkInterfacePrivateIpAddress{
			Primary:          aws.Bool(address.Private == row.PrivateIP),
			PrivateIpAddress: aws.String(address.Private.String()),
			PrivateDnsName:   aws.String(dnsname.Private(row.Region.Name(), address.Private)),
			Association:      associationItem(r, row, address),
		}
	}
}

// associationItem describes the public IP address of an interface's private address. It
// returns nil if there is none.
func associationItem(r store.Reader, row nic, address store.InterfaceAddress) *types.NetworkInterfaceAssociation {
	if !address.Public.IsValid() {
		return nil
	}
	association := &types.NetworkInterfaceAssociation{
		PublicIp:      aws.String(address.Public.String()),
		IpOwnerId:     aws.String(publicIPOwnerOf(r, row, address)),
		PublicDnsName: aws.String(dnsname.Public(r, row.VPCID, address.Public)),
	}
	if elastic := addressing.ElasticIPOf(r, row, address.Private); elastic != nil {
		association.AllocationId, association.AssociationId = aws.String(elastic.ID), aws.String(elastic.AssociationID)
	}
	return association
}
