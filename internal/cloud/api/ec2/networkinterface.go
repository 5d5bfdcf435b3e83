package ec2

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/dnsname"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// nic abbreviates the type of a network interface's row.
type nic = *store.NetworkInterface

var networkInterfaces = resourceType[store.NetworkInterface]{
	table: store.NetworkInterfaces, kind: types.ResourceTypeNetworkInterface, prefix: "eni-",
	notFoundCode: "InvalidNetworkInterfaceID.NotFound", notFoundText: "The networkInterface ID",
	malformedCode: "InvalidNetworkInterfaceId.Malformed",
	key:           func(row nic) (identity.Region, string) { return row.Region, row.ID },
	tags:          func(row nic) *store.Tags { return &row.Tags },
	filters: withTagFilters(func(row nic) store.Tags { return row.Tags }, filters[nic]{
		"network-interface-id": field(func(row nic) string { return row.ID }),
		"vpc-id":               field(func(row nic) string { return row.VPCID }),
		"subnet-id":            field(func(row nic) string { return row.SubnetID }),
		"availability-zone":    field(func(row nic) string { return row.Zone }),
		"availability-zone-id": func(r store.Reader, row nic) []string { return []string{zoneIDOf(r, row)} },
		"group-id":             func(_ store.Reader, row nic) []string { return row.GroupIDs },
		"group-name": func(r store.Reader, row nic) []string {
			return list(
				groupIdentifiers(r, row.GroupIDs),
				func(g types.GroupIdentifier) string { return aws.ToString(g.GroupName) },
			)
		},
		"description":       field(func(row nic) string { return row.Description }),
		"requester-id":      optionalField(func(row nic) string { return row.RequesterID }),
		"requester-managed": booleanField(func(row nic) bool { return row.RequesterManaged }),
		"interface-type":    field(func(row nic) string { return string(interfaceType(row)) }),
		"status":            field(func(row nic) string { return row.State }),
		"owner-id":          field(func(row nic) string { return row.Region.Account() }),
		"mac-address":       field(func(row nic) string { return row.MAC }),
		"source-dest-check": booleanField(func(row nic) bool { return row.SourceDestCheck }),
		"private-ip-address": optionalField(func(row nic) string {
			return aws.ToString(optionalAddress(row.PrivateIP))
		}),
		"private-dns-name":             optionalField(interfaceDNSName),
		"addresses.private-ip-address": privateIPs,
		"addresses.primary":            byAddress(isPrimary),
		"addresses.private-dns-name": byAddress(
			func(_ store.Reader, row nic, address store.InterfaceAddress) string {
				return dnsname.Private(row.Region.Name(), address.Private)
			},
		),
		"addresses.association.public-ip":   byAddress(publicIPOf),
		"addresses.association.owner-id":    byAddress(publicIPOwnerOf),
		"addresses.association.ip-owner-id": byAddress(publicIPOwnerOf),
		"addresses.association.public-dns-name": byAssociated(func(a *types.NetworkInterfaceAssociation) *string {
			return a.PublicDnsName
		}),
		"addresses.association.allocation-id": byAssociated(func(a *types.NetworkInterfaceAssociation) *string {
			return a.AllocationId
		}),
		"addresses.association.association-id": byAssociated(func(a *types.NetworkInterfaceAssociation) *string {
			return a.AssociationId
		}),
		"association.public-ip": ifPublic(publicIP),
		"association.ip-owner-id": ifPublic(func(r store.Reader, row nic) string {
			return publicIPOwnerOf(r, row, primaryOf(row))
		}),
		"association.public-dns-name": ifPublic(
			func(r store.Reader, row nic) string { return dnsname.Public(r, row.VPCID, row.PublicIP) },
		),
		"association.allocation-id":  ifElastic(func(address *store.ElasticIP) string { return address.ID }),
		"association.association-id": ifElastic(func(address *store.ElasticIP) string { return address.AssociationID }),
		"attachment.attachment-id":   ifAttached(func(row nic) string { return row.AttachmentID }),
		"attachment.attach-time": ifAttached(func(row nic) string {
			return row.AttachedAt.UTC().Format(time.RFC3339)
		}),
		"attachment.delete-on-termination": ifAttached(
			func(row nic) string { return strconv.FormatBool(row.DeleteOnTermination) },
		),
		"attachment.device-index":      ifAttached(func(row nic) string { return strconv.Itoa(int(row.DeviceIndex)) }),
		"attachment.instance-id":       ifAttached(func(row nic) string { return row.InstanceID }),
		"attachment.instance-owner-id": ifAttached(instanceOwner),
		"attachment.status":            ifAttached(func(nic) string { return string(types.AttachmentStatusAttached) }),
		"attachment.nat-gateway-id":    optionalField(func(row nic) string { return row.NatGatewayID }),
		"ipv6-addresses.ipv6-address":  ipv6Texts,
		"operator.managed":             constant[nic]("false"),
		"operator.principal":           noValue[nic],
		"association.carrier-ip":       noValue[nic],
	}),
}

// interfaceType returns the type of an interface as EC2 reports it. The nodes of Application
// Load Balancers have ordinary interfaces.
func interfaceType(row nic) types.NetworkInterfaceType {
	if row.Type == "load_balancer" {
		return types.NetworkInterfaceTypeInterface
	}
	return types.NetworkInterfaceType(row.Type)
}

// addressOwner is the owner of public IP addresses that are not Elastic IP addresses.
const addressOwner = "amazon"

// byAddress returns a filter by a property of an interface's private addresses. An empty
// text stands for none.
func byAddress(text func(store.Reader, nic, store.InterfaceAddress) string) func(store.Reader, nic) []string {
	return func(r store.Reader, row nic) (all []string) {
		for _, address := range row.Addresses() {
			if value := text(r, row, address); value != "" {
				all = append(all, value)
			}
		}
		return all
	}
}

// byAssociated returns a filter by a property of the public IP addresses of an interface's private
// addresses.
func byAssociated(text func(*types.NetworkInterfaceAssociation) *string) func(store.Reader, nic) []string {
	return byAddress(func(r store.Reader, row nic, address store.InterfaceAddress) string {
		association := associationItem(r, row, address)
		if association == nil {
			return ""
		}
		return aws.ToString(text(association))
	})
}

func isPrimary(_ store.Reader, row nic, address store.InterfaceAddress) string {
	return strconv.FormatBool(address.Private == row.PrivateIP)
}

func publicIPOf(_ store.Reader, _ nic, address store.InterfaceAddress) string {
	if !address.Public.IsValid() {
		return ""
	}
	return address.Public.String()
}

// publicIPOwnerOf returns the owner of a public IP address, "" if there is none.
func publicIPOwnerOf(r store.Reader, row nic, address store.InterfaceAddress) string {
	switch {
	case !address.Public.IsValid():
		return ""
	case addressing.ElasticIPOf(r, row, address.Private) != nil:
		return row.Region.Account()
	}
	return addressOwner
}

// ifElastic returns a filter by a property of the Elastic IP address that an interface
// has at its primary address.
func ifElastic(text func(*store.ElasticIP) string) func(store.Reader, nic) []string {
	return func(r store.Reader, row nic) []string {
		if address := addressing.ElasticIPOf(r, row, row.PrivateIP); address != nil {
			return []string{text(address)}
		}
		return nil
	}
}

// ifPublic returns a filter by a property that only interfaces with a public IP
// address at their primary address have.
func ifPublic(text func(store.Reader, nic) string) func(store.Reader, nic) []string {
	return func(r store.Reader, row nic) []string {
		if !row.PublicIP.IsValid() {
			return nil
		}
		return []string{text(r, row)}
	}
}

// ifAttached returns a filter by a property that only attached interfaces have.
func ifAttached(text func(nic) string) func(store.Reader, nic) []string {
	return func(_ store.Reader, row nic) []string {
		if row.AttachmentID == "" {
			return nil
		}
		return []string{text(row)}
	}
}

// instanceOwner returns the owner of the instance to which an interface is attached.
// For the interface of a load balancer, a NAT gateway or an endpoint that is the service.
func instanceOwner(row nic) string {
	if row.NatGatewayID != "" || row.Type == string(types.NetworkInterfaceTypeNetworkLoadBalancer) ||
		row.Type == string(types.NetworkInterfaceTypeVpcEndpoint) {
		return "amazon-aws"
	}
	if row.RequesterManaged {
		return row.RequesterID
	}
	return row.Region.Account()
}

func zoneIDOf(r store.Reader, row nic) string {
	if subnet, ok := store.Subnets.Get(r, row.SubnetID); ok {
		return subnet.ZoneID
	}
	return ""
}

// groupIdentifiers returns the ids and names of security groups.
func groupIdentifiers(r store.Reader, ids []string) []types.GroupIdentifier {
	return list(ids, func(id string) types.GroupIdentifier {
		group := types.GroupIdentifier{GroupId: aws.String(id)}
		if row, ok := store.SecurityGroups.Get(r, id); ok {
			group.GroupName = aws.String(row.Name)
		}
		return group
	})
}

// DescribeNetworkInterfaces lists network interfaces.
func (a *API) DescribeNetworkInterfaces(
	ctx context.Context, in *ec2.DescribeNetworkInterfacesInput,
) (*ec2.DescribeNetworkInterfacesOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	rows, next, err := networkInterfaces.describe(view, region, describeQuery{
		ids: in.NetworkInterfaceIds, idParameter: "networkInterfaceIds", filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
	})
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeNetworkInterfacesOutput{
		NetworkInterfaces: list(rows, networkInterfaceItem(view)),
		NextToken:         next,
	}, nil
}

// DeleteNetworkInterface deletes a network interface that is not attached.
func (a *API) DeleteNetworkInterface(
	ctx context.Context, in *ec2.DeleteNetworkInterfaceInput,
) (*ec2.DeleteNetworkInterfaceOutput, error) {
	if err := required(parameter{"networkInterfaceId", in.NetworkInterfaceId}); err != nil {
		return nil, err
	}
	out := &ec2.DeleteNetworkInterfaceOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := networkInterfaces.get(tx, region, *in.NetworkInterfaceId)
		switch {
		case err != nil:
			return err
		case row.RequesterManaged:
			return attachmentNotPermitted()
		case row.AttachmentID != "":
			return wire.Errorf("InvalidParameterValue", "Network interface '%s' is currently in use.", row.ID)
		}
		addressing.DeleteInterface(tx, row.ID)
		return nil
	})
}
