//go:build linux

// Package teamvpc makes a VPC as a network team would, in which tests deploy applications, and
// describes it completely, so that tests see whether anything in it has changed.
package teamvpc

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
)

// limit is how long a NAT gateway or an endpoint may take.
const limit = 5 * time.Minute

// VPC is a VPC of a network team: public subnets in three zones behind an internet gateway,
// and private ones in the same zones.
type VPC struct {
	ID              string
	Public, Private []string
	PublicTable     string
	PrivateTable    string // without a default route, unless AddNAT made one
	Gateway         string

	api *ec2.Client
}

// New makes a VPC with an address range that applications do not have by default.
func New(t *testing.T, api *ec2.Client) *VPC {
	t.Helper()
	v := &VPC{api: api}
	vpc := call(t, api.CreateVpc, &ec2.CreateVpcInput{
		CidrBlock: aws.String("10.9.0.0/16"), TagSpecifications: named(types.ResourceTypeVpc, "team"),
	})
	v.ID = *vpc.Vpc.VpcId
	gateway := call(t, api.CreateInternetGateway, &ec2.CreateInternetGatewayInput{})
	v.Gateway = *gateway.InternetGateway.InternetGatewayId
	call(t, api.AttachInternetGateway, &ec2.AttachInternetGatewayInput{VpcId: &v.ID, InternetGatewayId: &v.Gateway})
	v.PublicTable, v.PrivateTable = v.routeTable(t), v.routeTable(t)
	v.Route(t, v.PublicTable, &ec2.CreateRouteInput{GatewayId: &v.Gateway})
	zones := call(t, api.DescribeAvailabilityZones, &ec2.DescribeAvailabilityZonesInput{})
	for i, zone := range zones.AvailabilityZones[:3] {
		v.Public = append(v.Public, v.Subnet(t, i, *zone.ZoneName, v.PublicTable))
		v.Private = append(v.Private, v.Subnet(t, 16+i, *zone.ZoneName, v.PrivateTable))
	}
	return v
}

func call[In, Out any](
	t *testing.T, do func(context.Context, *In, ...func(*ec2.Options)) (*Out, error), in *In,
) *Out {
	t.Helper()
	out, err := do(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func named(kind types.ResourceType, name string) []types.TagSpecification {
	return []types.TagSpecification{{ResourceType: kind, Tags: []types.Tag{
		{Key: aws.String("Name"), Value: &name}, {Key: aws.String("owner"), Value: aws.String("network team")},
	}}}
}

func (v *VPC) routeTable(t *testing.T) string {
	t.Helper()
	return *call(t, v.api.CreateRouteTable, &ec2.CreateRouteTableInput{VpcId: &v.ID}).RouteTable.RouteTableId
}

// Route sets the default route of a table.
func (v *VPC) Route(t *testing.T, table string, to *ec2.CreateRouteInput) {
	t.Helper()
	to.RouteTableId, to.DestinationCidrBlock = &table, aws.String("0.0.0.0/0")
	call(t, v.api.CreateRoute, to)
}

// Subnet makes a subnet: the nth block of 256 addresses, which leads where a table says.
func (v *VPC) Subnet(t *testing.T, n int, zone, table string) string {
	t.Helper()
	subnet := call(t, v.api.CreateSubnet, &ec2.CreateSubnetInput{
		VpcId: &v.ID, CidrBlock: aws.String(fmt.Sprintf("10.9.%d.0/24", n)), AvailabilityZone: &zone,
		TagSpecifications: named(types.ResourceTypeSubnet, fmt.Sprintf("team-%d", n)),
	})
	id := *subnet.Subnet.SubnetId
	call(t, v.api.AssociateRouteTable, &ec2.AssociateRouteTableInput{RouteTableId: &table, SubnetId: &id})
	return id
}

// AddNAT gives the private subnets a way out through a NAT gateway.
func (v *VPC) AddNAT(t *testing.T) {
	t.Helper()
	address := call(t, v.api.AllocateAddress, &ec2.AllocateAddressInput{})
	nat := call(t, v.api.CreateNatGateway, &ec2.CreateNatGatewayInput{
		SubnetId: &v.Public[0], AllocationId: address.AllocationId,
	})
	id := nat.NatGateway.NatGatewayId
	err := awsapi.Wait(t.Context(), limit, "the NAT gateway", func(ctx context.Context) (bool, error) {
		list, err := v.api.DescribeNatGateways(ctx, &ec2.DescribeNatGatewaysInput{NatGatewayIds: []string{*id}})
		return err == nil && list.NatGateways[0].State == types.NatGatewayStateAvailable, err
	})
	if err != nil {
		t.Fatal(err)
	}
	v.Route(t, v.PrivateTable, &ec2.CreateRouteInput{NatGatewayId: id})
}

// AddEndpoint makes an EC2 Instance Connect Endpoint whose security group lets SSH out to a
// block, and returns its id.
func (v *VPC) AddEndpoint(t *testing.T, block string) string {
	t.Helper()
	group := call(t, v.api.CreateSecurityGroup, &ec2.CreateSecurityGroupInput{
		VpcId: &v.ID, GroupName: aws.String("team-connect"), Description: aws.String("endpoint of the team"),
	})
	call(t, v.api.RevokeSecurityGroupEgress, &ec2.RevokeSecurityGroupEgressInput{
		GroupId: group.GroupId, IpPermissions: []types.IpPermission{{
			IpProtocol: aws.String("-1"), IpRanges: []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}},
		}},
	})
	call(t, v.api.AuthorizeSecurityGroupEgress, &ec2.AuthorizeSecurityGroupEgressInput{
		GroupId: group.GroupId, IpPermissions: []types.IpPermission{{
			IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22),
			IpRanges: []types.IpRange{{CidrIp: &block}},
		}},
	})
	endpoint := call(t, v.api.CreateInstanceConnectEndpoint, &ec2.CreateInstanceConnectEndpointInput{
		SubnetId: &v.Public[0], SecurityGroupIds: []string{*group.GroupId},
	})
	id := *endpoint.InstanceConnectEndpoint.InstanceConnectEndpointId
	in := &ec2.DescribeInstanceConnectEndpointsInput{InstanceConnectEndpointIds: []string{id}}
	err := awsapi.Wait(t.Context(), limit, "the endpoint", func(ctx context.Context) (bool, error) {
		list, err := v.api.DescribeInstanceConnectEndpoints(ctx, in)
		return err == nil &&
			list.InstanceConnectEndpoints[0].State == types.Ec2InstanceConnectEndpointStateCreateComplete, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Describe returns everything of the VPC as text: its attributes, subnets with their free
// addresses, routes, network ACLs, gateways, security groups, endpoints, network interfaces and
// all tags.
func (v *VPC) Describe(t *testing.T) string {
	t.Helper()
	of := []types.Filter{awsapi.Filter("vpc-id", v.ID)}
	attached := []types.Filter{awsapi.Filter("attachment.vpc-id", v.ID)}
	acls := call(t, v.api.DescribeNetworkAcls, &ec2.DescribeNetworkAclsInput{Filters: of}).NetworkAcls
	var out strings.Builder
	for _, list := range []any{
		call(t, v.api.DescribeVpcs, &ec2.DescribeVpcsInput{Filters: of}).Vpcs,
		call(t, v.api.DescribeVpcAttribute, &ec2.DescribeVpcAttributeInput{
			VpcId: &v.ID, Attribute: types.VpcAttributeNameEnableDnsHostnames,
		}).EnableDnsHostnames,
		call(t, v.api.DescribeVpcAttribute, &ec2.DescribeVpcAttributeInput{
			VpcId: &v.ID, Attribute: types.VpcAttributeNameEnableDnsSupport,
		}).EnableDnsSupport,
		call(t, v.api.DescribeSubnets, &ec2.DescribeSubnetsInput{Filters: of}).Subnets,
		call(t, v.api.DescribeRouteTables, &ec2.DescribeRouteTablesInput{Filters: of}).RouteTables,
		withoutAssociationIDs(acls),
		call(t, v.api.DescribeInternetGateways, &ec2.DescribeInternetGatewaysInput{Filters: attached}).InternetGateways,
		call(t, v.api.DescribeNatGateways, &ec2.DescribeNatGatewaysInput{Filter: of}).NatGateways,
		call(t, v.api.DescribeSecurityGroups, &ec2.DescribeSecurityGroupsInput{Filters: of}).SecurityGroups,
		call(t, v.api.DescribeInstanceConnectEndpoints, &ec2.DescribeInstanceConnectEndpointsInput{
			Filters: of,
		}).InstanceConnectEndpoints,
		call(t, v.api.DescribeNetworkInterfaces, &ec2.DescribeNetworkInterfacesInput{Filters: of}).NetworkInterfaces,
	} {
		text, err := json.MarshalIndent(list, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		out.Write(append(text, '\n'))
	}
	return out.String()
}

// withoutAssociationIDs returns network ACLs without the ids of their associations, which change
// whenever a subnet gets another one and that one back.
func withoutAssociationIDs(acls []types.NetworkAcl) []types.NetworkAcl {
	for _, acl := range acls {
		for i := range acl.Associations {
			acl.Associations[i].NetworkAclAssociationId = nil
		}
		slices.SortFunc(acl.Associations, func(a, b types.NetworkAclAssociation) int {
			return cmp.Compare(aws.ToString(a.SubnetId), aws.ToString(b.SubnetId))
		})
	}
	return acls
}
