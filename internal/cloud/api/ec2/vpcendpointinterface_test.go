package ec2

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
)

const ec2Service = "com.amazonaws.us-east-1.ec2"

// endpointVPC is a VPC with host names, a group besides the default one, and three subnets. The
// last two are in one zone.
type endpointVPC struct {
	*cloud
	id, group string
	subnets   []string
}

func newEndpointVPC(t *testing.T) *endpointVPC {
	c := newCloud(t)
	v := &endpointVPC{cloud: c, id: c.vpc("10.0.0.0/16")}
	v.hostNames(true)
	v.group = c.group(v.id, "clients")
	for block, zone := range map[string]string{
		"10.0.1.0/24": "us-east-1a", "10.0.2.0/24": "us-east-1b", "10.0.3.0/24": "us-east-1b",
	} {
		v.subnets = append(v.subnets, block+" "+zone)
	}
	slices.Sort(v.subnets)
	for i, at := range v.subnets {
		block, zone, _ := strings.Cut(at, " ")
		v.subnets[i] = c.subnet(v.id, block, zone)
	}
	return v
}

func (v *endpointVPC) hostNames(enable bool) {
	v.t.Helper()
	do(v.cloud, v.ModifyVpcAttribute, &ec2.ModifyVpcAttributeInput{
		VpcId: &v.id, EnableDnsHostnames: &types.AttributeBooleanValue{Value: &enable},
	})
}

// request returns a request for an endpoint in the first two subnets.
func (v *endpointVPC) request() ec2.CreateVpcEndpointInput {
	return ec2.CreateVpcEndpointInput{
		VpcId: &v.id, ServiceName: aws.String(ec2Service), VpcEndpointType: types.VpcEndpointTypeInterface,
		SubnetIds: slices.Clone(v.subnets[:2]),
	}
}

func (v *endpointVPC) described(id string) types.VpcEndpoint {
	v.t.Helper()
	in := &ec2.DescribeVpcEndpointsInput{VpcEndpointIds: []string{id}}
	return do(v.cloud, v.DescribeVpcEndpoints, in).VpcEndpoints[0]
}

func dnsNames(e types.VpcEndpoint) (names []string) {
	for _, entry := range e.DnsEntries {
		names = append(names, *entry.DnsName)
	}
	return names
}

func TestAnInterfaceEndpointHasAnInterfaceInEachSubnet(t *testing.T) {
	v := newEndpointVPC(t)
	request := v.request()
	request.ClientToken, request.TagSpecifications = aws.String("token"), specification("vpc-endpoint", "Name", "api")
	created := do(v.cloud, v.CreateVpcEndpoint, &request)
	e, id := *created.VpcEndpoint, *created.VpcEndpoint.VpcEndpointId
	if *created.ClientToken != "token" || e.State != "pending" || e.VpcEndpointType != "Interface" ||
		!*e.PrivateDnsEnabled || *e.PolicyDocument != openStatement || e.IpAddressType != types.IpAddressTypeIpv4 ||
		e.DnsOptions.DnsRecordIpType != types.DnsRecordIpTypeIpv4 || *e.ServiceRegion != "us-east-1" ||
		len(e.Groups) != 1 || *e.Groups[0].GroupName != "default" || !slices.Equal(e.SubnetIds, v.subnets[:2]) {
		t.Errorf("created %+v", e)
	}
	if again := do(v.cloud, v.CreateVpcEndpoint, &request).VpcEndpoint; *again.VpcEndpointId != id {
		t.Errorf("the same token creates %s", *again.VpcEndpointId)
	}
	names := dnsNames(e)
	host, domain, _ := strings.Cut(names[0], ".")
	if want := []string{
		names[0], host + "-us-east-1a." + domain, host + "-us-east-1b." + domain, "ec2.us-east-1.amazonaws.com",
	}; !strings.HasPrefix(host, id+"-") || domain != "ec2.us-east-1.vpce.amazonaws.com" || !slices.Equal(names, want) {
		t.Errorf("names %q, want %q", names, want)
	}
	nics := do(v.cloud, v.DescribeNetworkInterfaces, &ec2.DescribeNetworkInterfacesInput{
		NetworkInterfaceIds: e.NetworkInterfaceIds,
		Filters: []types.Filter{
			filter("interface-type", "vpc_endpoint"), filter("requester-managed", "true"),
		},
	}).NetworkInterfaces
	if len(nics) != 2 {
		t.Fatalf("%d network interfaces, want 2", len(nics))
	}
	nic := nics[0]
	if *nic.Description != "VPC Endpoint Interface "+id || nic.Status != "in-use" || *nic.Attachment.InstanceOwnerId !=
		"amazon-aws" || !strings.HasPrefix(*nic.Attachment.AttachmentId, "ela-attach-") || len(nic.Groups) != 1 {
		t.Errorf("network interface %+v", nic)
	}
	for _, f := range []types.Filter{
		filter("vpc-endpoint-type", "Interface"), filter("vpc-endpoint-state", "pending"), filter("tag:Name", "api"),
		filter("service-name", ec2Service), filter("ip-address-type", "ipv4"), filter("vpc-id", v.id),
		filter("service-region", "us-east-1"), filter("vpc-endpoint-id", id),
	} {
		in := &ec2.DescribeVpcEndpointsInput{Filters: []types.Filter{f}}
		if got := do(v.cloud, v.DescribeVpcEndpoints, in).VpcEndpoints; len(got) != 1 {
			t.Errorf("%s: %d endpoints, want 1", *f.Name, len(got))
		}
	}
	wantError(v.cloud, v.DeleteSubnet, &ec2.DeleteSubnetInput{SubnetId: &v.subnets[0]},
		"DependencyViolation: The subnet '"+v.subnets[0]+"' has dependencies and cannot be deleted.")
	if out := do(v.cloud, v.DeleteVpcEndpoints, &ec2.DeleteVpcEndpointsInput{
		VpcEndpointIds: []string{id},
	}); len(out.Unsuccessful) > 0 {
		t.Errorf("the deletion is refused: %+v", out.Unsuccessful)
	}
	if _, err := v.DescribeVpcEndpoints(v.ctx, &ec2.DescribeVpcEndpointsInput{
		VpcEndpointIds: []string{id},
	}); code(err) != "InvalidVpcEndpointId.NotFound" {
		t.Errorf("after the deletion: %v", err)
	}
	do(v.cloud, v.DeleteSubnet, &ec2.DeleteSubnetInput{SubnetId: &v.subnets[0]})
}

func TestAnInterfaceEndpointIsModified(t *testing.T) {
	v := newEndpointVPC(t)
	request := v.request()
	request.PrivateDnsEnabled = aws.Bool(false)
	id := do(v.cloud, v.CreateVpcEndpoint, &request).VpcEndpoint.VpcEndpointId
	if names := dnsNames(v.described(*id)); len(names) != 3 {
		t.Errorf("names without private DNS: %q", names)
	}
	byDefault := *v.described(*id).Groups[0].GroupId
	do(v.cloud, v.ModifyVpcEndpoint, &ec2.ModifyVpcEndpointInput{
		VpcEndpointId: id, RemoveSubnetIds: v.subnets[1:2], AddSubnetIds: v.subnets[2:],
		AddSecurityGroupIds: []string{v.group}, RemoveSecurityGroupIds: []string{byDefault},
		PrivateDnsEnabled: aws.Bool(true),
	})
	e := v.described(*id)
	if want := []string{v.subnets[0], v.subnets[2]}; !slices.Equal(e.SubnetIds, want) || len(e.Groups) != 1 ||
		*e.Groups[0].GroupId != v.group || !*e.PrivateDnsEnabled {
		t.Errorf("modified %+v, want subnets %q and group %s", e, want, v.group)
	}
	for _, nic := range do(v.cloud, v.DescribeNetworkInterfaces, &ec2.DescribeNetworkInterfacesInput{
		Filters: []types.Filter{filter("description", "VPC Endpoint Interface "+*id)},
	}).NetworkInterfaces {
		if len(nic.Groups) != 1 || *nic.Groups[0].GroupId != v.group {
			t.Errorf("the interface in %s has the groups %+v", *nic.SubnetId, nic.Groups)
		}
	}
	wantError(v.cloud, v.ModifyVpcEndpoint, &ec2.ModifyVpcEndpointInput{
		VpcEndpointId: id, AddSubnetIds: v.subnets[1:2],
	}, "DuplicateSubnetsInSameZone: Found another VPC endpoint subnet in the availability zone of "+v.subnets[1])
	wantError(v.cloud, v.ModifyVpcEndpoint, &ec2.ModifyVpcEndpointInput{
		VpcEndpointId: id, RemoveSecurityGroupIds: []string{v.group},
	}, "InvalidParameter: The VPC endpoint "+*id+" needs at least one security group.")
	wantError(v.cloud, v.ModifyVpcEndpoint, &ec2.ModifyVpcEndpointInput{
		VpcEndpointId: id, AddRouteTableIds: []string{"rtb-1"},
	}, "UnsupportedOperation: aloft's local cloud does not support the parameter addRouteTableIds")
	do(v.cloud, v.ModifyVpcEndpoint, &ec2.ModifyVpcEndpointInput{VpcEndpointId: id, PrivateDnsEnabled: aws.Bool(false)})
	if e := v.described(*id); *e.PrivateDnsEnabled || len(e.DnsEntries) != 3 {
		t.Errorf("private DNS is still enabled: %+v", e)
	}
}

func TestInterfaceEndpointsThatCannotBeAreRefused(t *testing.T) {
	v := newEndpointVPC(t)
	other := v.vpc("10.1.0.0/16")
	foreign, foreignGroup := v.subnet(other, "10.1.1.0/24", "us-east-1a"), v.cloud.group(other, "other")
	do(v.cloud, v.CreateVpcEndpoint, new(v.request()))
	for want, change := range map[string]func(in *ec2.CreateVpcEndpointInput){
		"InvalidParameter: private-dns-enabled cannot be set because there is already a conflicting DNS domain for " +
			"ec2.us-east-1.amazonaws.com in the VPC " + v.id: func(*ec2.CreateVpcEndpointInput) {},
		"InvalidServiceName: The Vpc Endpoint Service 'com.amazonaws.us-east-1.sqs' does not exist": func(
			in *ec2.CreateVpcEndpointInput,
		) {
			in.ServiceName = aws.String("com.amazonaws.us-east-1.sqs")
		},
		"InvalidParameter: Endpoint type (Gateway) does not match available service types ([Interface]).": func(
			in *ec2.CreateVpcEndpointInput,
		) {
			in.VpcEndpointType, in.SubnetIds = types.VpcEndpointTypeGateway, nil
		},
		"DuplicateSubnetsInSameZone: Found another VPC endpoint subnet in the availability zone of " +
			v.subnets[2]: func(in *ec2.CreateVpcEndpointInput) {
			in.SubnetIds, in.PrivateDnsEnabled = v.subnets, aws.Bool(false)
		},
		"InvalidParameter: The subnet " + foreign + " does not belong to the VPC " + v.id +
			" of the endpoint.": func(in *ec2.CreateVpcEndpointInput) {
			in.SubnetIds, in.PrivateDnsEnabled = []string{foreign}, aws.Bool(false)
		},
		"InvalidParameter: Security group " + foreignGroup + " does not belong to the VPC " + v.id +
			" of the endpoint.": func(in *ec2.CreateVpcEndpointInput) {
			in.SecurityGroupIds = []string{foreignGroup}
		},
		"UnsupportedOperation: aloft's local cloud does not support the parameter ipAddressType": func(
			in *ec2.CreateVpcEndpointInput,
		) {
			in.IpAddressType = types.IpAddressTypeDualstack
		},
		"UnsupportedOperation: aloft's local cloud does not support the parameter policyDocument": func(
			in *ec2.CreateVpcEndpointInput,
		) {
			in.PolicyDocument = aws.String(strings.Replace(openStatement, "Allow", "Deny", 1))
			in.PrivateDnsEnabled = aws.Bool(false)
		},
	} {
		in := v.request()
		change(&in)
		wantError(v.cloud, v.CreateVpcEndpoint, &in, want)
	}
	v.hostNames(false)
	in := v.request()
	in.ServiceName = aws.String("com.amazonaws.us-east-1.sns")
	wantError(v.cloud, v.CreateVpcEndpoint, &in, "InvalidParameter: Enabling private DNS requires both "+
		"enableDnsSupport and enableDnsHostnames VPC attributes set to true for "+v.id)
	if n := len(store.VPCEndpoints.List(v.Store.View())); n != 1 {
		t.Errorf("there are %d endpoints, want the first alone", n)
	}
}

func TestDeletedEndpointsDisappearWhenTheirTimeHasCome(t *testing.T) {
	v := newEndpointVPC(t)
	id := *do(v.cloud, v.CreateVpcEndpoint, new(v.request())).VpcEndpoint.VpcEndpointId
	v.Manners = new(manners.Set)
	v.Manners.Use(manners.Settings{Manners: []manners.Manner{manners.Times}, Seed: 1})
	do(v.cloud, v.DeleteVpcEndpoints, &ec2.DeleteVpcEndpointsInput{VpcEndpointIds: []string{id}})
	row, _ := store.VPCEndpoints.Get(v.Store.View(), id)
	if e := v.described(id); e.State != "deleting" || !row.SettledAt.After(v.Now()) {
		t.Errorf("the endpoint is %s until %s", e.State, row.SettledAt)
	}
	if _, err := v.ModifyVpcEndpoint(v.ctx, &ec2.ModifyVpcEndpointInput{
		VpcEndpointId: &id, PrivateDnsEnabled: aws.Bool(false),
	}); code(err) != "InvalidVpcEndpointId.NotFound" {
		t.Errorf("modifying it: %v", err)
	}
}

func TestServicesOfInterfaceEndpointsAreDescribed(t *testing.T) {
	c := newCloud(t)
	out := do(c, c.DescribeVpcEndpointServices, &ec2.DescribeVpcEndpointServicesInput{
		ServiceNames: []string{ec2Service}, Filters: []types.Filter{filter("service-type", "Interface")},
	})
	if len(out.ServiceDetails) != 1 {
		t.Fatalf("services %q", out.ServiceNames)
	}
	if s := out.ServiceDetails[0]; s.ServiceType[0].ServiceType != types.ServiceTypeInterface ||
		*s.PrivateDnsName != "ec2.us-east-1.amazonaws.com" ||
		!slices.Equal(s.BaseEndpointDnsNames, []string{"ec2.us-east-1.vpce.amazonaws.com"}) {
		t.Errorf("got %+v", s)
	}
	var names []string
	in := &ec2.DescribeVpcEndpointServicesInput{MaxResults: aws.Int32(5)}
	for {
		page := do(c, c.DescribeVpcEndpointServices, in)
		names = append(names, page.ServiceNames...)
		if in.NextToken = page.NextToken; in.NextToken == nil {
			break
		}
	}
	if len(names) != 1+len(EndpointServices()) || !slices.IsSorted(names) {
		t.Errorf("all services: %q", names)
	}
	in.MaxResults = aws.Int32(0)
	if _, err := c.DescribeVpcEndpointServices(c.ctx, in); code(err) != "InvalidParameterValue" {
		t.Errorf("an empty page: %v", err)
	}
}
