package ec2

import (
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
)

// endpoint creates an EC2 Instance Connect Endpoint in a subnet.
func (c *cloud) endpoint(subnet string, groups ...string) *types.Ec2InstanceConnectEndpoint {
	c.t.Helper()
	return do(c, c.CreateInstanceConnectEndpoint, &ec2.CreateInstanceConnectEndpointInput{
		SubnetId: &subnet, SecurityGroupIds: groups,
		TagSpecifications: specification(types.ResourceTypeInstanceConnectEndpoint, "team", "core"),
	}).InstanceConnectEndpoint
}

// endpoints returns the endpoints that pass filters.
func (c *cloud) endpoints(filters ...types.Filter) []types.Ec2InstanceConnectEndpoint {
	c.t.Helper()
	return do(c, c.DescribeInstanceConnectEndpoints, &ec2.DescribeInstanceConnectEndpointsInput{
		Filters: filters,
	}).InstanceConnectEndpoints
}

func TestAnInstanceConnectEndpointHasAnInterfaceInItsSubnet(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	subnet, group := c.subnet(vpc, "10.0.1.0/24", "us-east-1a"), c.group(vpc, "endpoint")
	created := c.endpoint(subnet, group)
	if created.State != types.Ec2InstanceConnectEndpointStateCreateInProgress {
		t.Errorf("state %s", created.State)
	}
	form := regexp.MustCompile(
		`^eice-[0-9a-f]{17}\.[0-9a-f]{8}\.ec2-instance-connect-endpoint\.us-east-1\.localhost$`)
	if !form.MatchString(*created.DnsName) {
		t.Errorf("name %s", *created.DnsName)
	}
	for _, f := range []types.Filter{
		filter("state", "create-complete"), filter("vpc-id", vpc), filter("subnet-id", subnet),
		filter("instance-connect-endpoint-id", *created.InstanceConnectEndpointId), filter("tag:team", "core"),
	} {
		found := c.endpoints(f)
		if len(found) != 1 || *found[0].InstanceConnectEndpointId != *created.InstanceConnectEndpointId {
			t.Errorf("filter %s: found %d", *f.Name, len(found))
		}
	}
	if found := c.endpoints(filter("state", "delete-in-progress")); len(found) != 0 {
		t.Errorf("found %d in another state", len(found))
	}
	nic := do(c, c.DescribeNetworkInterfaces, &ec2.DescribeNetworkInterfacesInput{
		NetworkInterfaceIds: created.NetworkInterfaceIds,
	}).NetworkInterfaces[0]
	if *nic.SubnetId != subnet || !*nic.RequesterManaged || *nic.Groups[0].GroupId != group ||
		nic.InterfaceType != "ec2_instance_connect_endpoint" {
		t.Errorf("interface %+v", nic)
	}
	if _, err := c.DeleteNetworkInterface(c.ctx, &ec2.DeleteNetworkInterfaceInput{
		NetworkInterfaceId: nic.NetworkInterfaceId,
	}); code(err) != "OperationNotPermitted" {
		t.Errorf("its interface: %v", err)
	}
	if _, err := c.DeleteSecurityGroup(c.ctx, &ec2.DeleteSecurityGroupInput{GroupId: &group}); code(err) !=
		"DependencyViolation" {
		t.Errorf("its group: %v", err)
	}
	remove := &ec2.DeleteInstanceConnectEndpointInput{InstanceConnectEndpointId: created.InstanceConnectEndpointId}
	out := do(c, c.DeleteInstanceConnectEndpoint, remove)
	if out.InstanceConnectEndpoint.State != "delete-in-progress" {
		t.Errorf("state %s", out.InstanceConnectEndpoint.State)
	}
	if len(c.endpoints()) != 0 {
		t.Error("a deleted endpoint is listed")
	}
	wantError(c, c.DeleteInstanceConnectEndpoint, remove, "InvalidInstanceConnectEndpointId.NotFound: "+
		"The instance connect endpoint ID '"+*created.InstanceConnectEndpointId+"' does not exist")
	do(c, c.DeleteSubnet, &ec2.DeleteSubnetInput{SubnetId: &subnet})
	do(c, c.DeleteSecurityGroup, &ec2.DeleteSecurityGroupInput{GroupId: &group})
}

func TestAnInstanceConnectEndpointHasTheDefaultGroup(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	created := c.endpoint(c.subnet(vpc, "10.0.1.0/24", "us-east-1a"))
	group, _ := groupNamed(c.Store.View(), vpc, "default")
	if len(created.SecurityGroupIds) != 1 || created.SecurityGroupIds[0] != group.ID {
		t.Errorf("groups %q", created.SecurityGroupIds)
	}
}

func TestInstanceConnectEndpointsThatCannotBeCreated(t *testing.T) {
	c := newCloud(t)
	vpc, other := c.vpc("10.0.0.0/16"), c.vpc("10.1.0.0/16")
	subnet, foreign := c.subnet(vpc, "10.0.1.0/24", "us-east-1a"), c.group(other, "foreign")
	before := c.rows()
	for name, test := range map[string]struct {
		change func(*ec2.CreateInstanceConnectEndpointInput)
		code   string
	}{
		"no subnet": {
			func(in *ec2.CreateInstanceConnectEndpointInput) { in.SubnetId = nil }, "MissingParameter",
		},
		"an unknown subnet": {
			func(in *ec2.CreateInstanceConnectEndpointInput) { in.SubnetId = aws.String("subnet-0123456789abcdef0") },
			"InvalidSubnetID.NotFound",
		},
		"another VPC's group": {
			func(in *ec2.CreateInstanceConnectEndpointInput) { in.SecurityGroupIds = []string{foreign} },
			"InvalidParameter",
		},
		"IPv6": {
			func(in *ec2.CreateInstanceConnectEndpointInput) { in.IpAddressType = types.IpAddressTypeIpv6 },
			"InvalidParameterValue",
		},
		"the client's address": {
			func(in *ec2.CreateInstanceConnectEndpointInput) { in.PreserveClientIp = aws.Bool(true) },
			"UnsupportedOperation",
		},
		"a dry run": {
			func(in *ec2.CreateInstanceConnectEndpointInput) { in.DryRun = aws.Bool(true) }, "DryRunOperation",
		},
	} {
		in := &ec2.CreateInstanceConnectEndpointInput{SubnetId: &subnet}
		test.change(in)
		if _, err := c.CreateInstanceConnectEndpoint(c.ctx, in); code(err) != test.code {
			t.Errorf("%s: got %v, want %s", name, err, test.code)
		}
	}
	if len(c.rows()) != len(before) || len(c.endpoints()) != 0 {
		t.Error("a refused request left something")
	}
}

func TestAVPCHasOneInstanceConnectEndpoint(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	one, two := c.subnet(vpc, "10.0.1.0/24", "us-east-1a"), c.subnet(vpc, "10.0.2.0/24", "us-east-1b")
	c.endpoint(one)
	for subnet, where := range map[string]string{one: "this subnet", two: "this VPC"} {
		wantError(c, c.CreateInstanceConnectEndpoint, &ec2.CreateInstanceConnectEndpointInput{SubnetId: &subnet},
			"ResourceLimitExceeded: You've reached the quota for the maximum number of Instance Connect Endpoints for "+
				where+". Delete unused Instance Connect Endpoints, or request a quota increase.")
	}
}

func TestAClientTokenCreatesOneInstanceConnectEndpoint(t *testing.T) {
	c := newCloud(t)
	subnet := c.subnet(c.vpc("10.0.0.0/16"), "10.0.1.0/24", "us-east-1a")
	request := &ec2.CreateInstanceConnectEndpointInput{SubnetId: &subnet, ClientToken: aws.String("once")}
	first, again := do(c, c.CreateInstanceConnectEndpoint, request), do(c, c.CreateInstanceConnectEndpoint, request)
	if *first.InstanceConnectEndpoint.InstanceConnectEndpointId !=
		*again.InstanceConnectEndpoint.InstanceConnectEndpointId || *again.ClientToken != "once" {
		t.Errorf("%+v and %+v", first, again)
	}
}

func TestAnInstanceConnectEndpointTakesItsTime(t *testing.T) {
	c := newCloud(t)
	c.Manners = new(manners.Set)
	c.Manners.Use(manners.Settings{Manners: []manners.Manner{manners.Times}, Seed: 1})
	now := noon
	c.Now = func() time.Time { return now }
	subnet := c.subnet(c.vpc("10.0.0.0/16"), "10.0.1.0/24", "us-east-1a")
	created := c.endpoint(subnet)
	state := func() types.Ec2InstanceConnectEndpointState { return c.endpoints()[0].State }
	if state() != "create-in-progress" {
		t.Errorf("at first: %s", state())
	}
	now = now.Add(time.Hour)
	if state() != "create-complete" {
		t.Errorf("later: %s", state())
	}
	remove := &ec2.DeleteInstanceConnectEndpointInput{InstanceConnectEndpointId: created.InstanceConnectEndpointId}
	do(c, c.DeleteInstanceConnectEndpoint, remove)
	do(c, c.DeleteInstanceConnectEndpoint, remove)
	if state() != "delete-in-progress" {
		t.Errorf("deleted: %s", state())
	}
	row, _ := store.InstanceConnectEndpoints.Get(c.Store.View(), *created.InstanceConnectEndpointId)
	if takes := row.GoneAt.Sub(now); takes < time.Minute || takes > 10*time.Minute {
		t.Errorf("its deletion takes %s", takes)
	}
	wantError(c, c.DeleteSubnet, &ec2.DeleteSubnetInput{SubnetId: &subnet},
		"DependencyViolation: The subnet '"+subnet+"' has dependencies and cannot be deleted.")
}
