package ec2

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func (c *cloud) peering(from, to string) string {
	c.t.Helper()
	return *do(c, c.CreateVpcPeeringConnection, &ec2.CreateVpcPeeringConnectionInput{
		VpcId: &from, PeerVpcId: &to,
		TagSpecifications: specification(types.ResourceTypeVpcPeeringConnection, "k", "v"),
	}).VpcPeeringConnection.VpcPeeringConnectionId
}

func (c *cloud) peeringStatus(id string) types.VpcPeeringConnectionStateReasonCode {
	c.t.Helper()
	return do(c, c.DescribeVpcPeeringConnections, &ec2.DescribeVpcPeeringConnectionsInput{
		VpcPeeringConnectionIds: []string{id},
	}).VpcPeeringConnections[0].Status.Code
}

func TestAPeeringConnectionIsAcceptedAndDeleted(t *testing.T) {
	c := newCloud(t)
	a, b := c.vpc("10.0.0.0/16"), c.vpc("10.1.0.0/16")
	id := c.peering(a, b)
	if got := c.peeringStatus(id); got != "pending-acceptance" {
		t.Errorf("status %s", got)
	}
	table := do(c, c.CreateRouteTable, &ec2.CreateRouteTableInput{VpcId: &a}).RouteTable.RouteTableId
	do(c, c.CreateRoute, &ec2.CreateRouteInput{
		RouteTableId: table, DestinationCidrBlock: aws.String("10.1.0.0/16"), VpcPeeringConnectionId: &id,
	})
	state := func() types.RouteState {
		out := do(c, c.DescribeRouteTables, &ec2.DescribeRouteTablesInput{
			Filters: []types.Filter{filter("route.vpc-peering-connection-id", id)},
		})
		return out.RouteTables[0].Routes[1].State
	}
	if got := state(); got != types.RouteStateBlackhole {
		t.Errorf("before the acceptance the route is %s", got)
	}
	do(c, c.AcceptVpcPeeringConnection, &ec2.AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: &id})
	if got := c.peeringStatus(id); got != "active" || state() != types.RouteStateActive {
		t.Errorf("status %s, route %s", got, state())
	}
	wantError(c, c.AcceptVpcPeeringConnection, &ec2.AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: &id},
		"InvalidStateTransition: Invalid state transition for "+id+", attempted to transition from active to active")
	do(c, c.ModifyVpcPeeringConnectionOptions, &ec2.ModifyVpcPeeringConnectionOptionsInput{
		VpcPeeringConnectionId: &id,
		AccepterPeeringConnectionOptions: &types.PeeringConnectionOptionsRequest{
			AllowDnsResolutionFromRemoteVpc: aws.Bool(true),
		},
	})
	described := do(c, c.DescribeVpcPeeringConnections, &ec2.DescribeVpcPeeringConnectionsInput{
		Filters: []types.Filter{filter("tag:k", "v"), filter("accepter-vpc-info.vpc-id", b)},
	}).VpcPeeringConnections
	if len(described) != 1 || !*described[0].AccepterVpcInfo.PeeringOptions.AllowDnsResolutionFromRemoteVpc ||
		*described[0].RequesterVpcInfo.PeeringOptions.AllowDnsResolutionFromRemoteVpc {
		t.Errorf("got %+v", described)
	}
	if _, err := c.CreateVpcPeeringConnection(c.ctx, &ec2.CreateVpcPeeringConnectionInput{
		VpcId: &b, PeerVpcId: &a,
	}); code(err) != "VpcPeeringConnectionAlreadyExists" {
		t.Errorf("a second connection: %v", err)
	}
	do(c, c.DeleteVpcPeeringConnection, &ec2.DeleteVpcPeeringConnectionInput{VpcPeeringConnectionId: &id})
	if got := c.peeringStatus(id); got != "deleted" || state() != types.RouteStateBlackhole {
		t.Errorf("status %s, route %s", got, state())
	}
	now := noon.Add(3 * time.Hour)
	c.Now = func() time.Time { return now }
	if _, err := c.DescribeVpcPeeringConnections(c.ctx, &ec2.DescribeVpcPeeringConnectionsInput{
		VpcPeeringConnectionIds: []string{id},
	}); code(err) != "InvalidVpcPeeringConnectionID.NotFound" {
		t.Errorf("hours later: %v", err)
	}
}

func TestPeeringConnectionsThatDoNotComeAbout(t *testing.T) {
	c := newCloud(t)
	a, b, overlapping := c.vpc("10.0.0.0/16"), c.vpc("10.1.0.0/16"), c.vpc("10.0.0.0/20")
	if got := c.peeringStatus(c.peering(a, overlapping)); got != "failed" {
		t.Errorf("overlapping VPCs: %s", got)
	}
	rejected := c.peering(a, b)
	do(c, c.RejectVpcPeeringConnection, &ec2.RejectVpcPeeringConnectionInput{VpcPeeringConnectionId: &rejected})
	wantError(c, c.DeleteVpcPeeringConnection, &ec2.DeleteVpcPeeringConnectionInput{VpcPeeringConnectionId: &rejected},
		"InvalidStateTransition: Invalid state transition for "+rejected+
			", attempted to transition from rejected to deleting")
	waiting := c.peering(a, b)
	now := noon.Add(8 * 24 * time.Hour)
	c.Now = func() time.Time { return now }
	wantError(c, c.AcceptVpcPeeringConnection, &ec2.AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: &waiting},
		"InvalidStateTransition: Invalid state transition for "+waiting+
			", attempted to transition from expired to active")
	ofDeleted := c.peering(a, b)
	do(c, c.DeleteVpc, &ec2.DeleteVpcInput{VpcId: &b})
	if got := c.peeringStatus(ofDeleted); got != "deleted" {
		t.Errorf("after the deletion of a VPC: %s", got)
	}
	if _, err := c.CreateVpcPeeringConnection(c.ctx, &ec2.CreateVpcPeeringConnectionInput{
		VpcId: &a, PeerVpcId: &a,
	}); code(err) != "InvalidParameterValue" {
		t.Errorf("with itself: %v", err)
	}
}

func TestRulesReferToGroupsOfPeersAndBecomeStale(t *testing.T) {
	c := newCloud(t)
	a, b := c.vpc("10.0.0.0/16"), c.vpc("10.1.0.0/16")
	own, other := c.group(a, "own"), c.group(b, "other")
	allow := &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &own, IpPermissions: []types.IpPermission{{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(80), ToPort: aws.Int32(80),
		UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: &other}},
	}}}
	if _, err := c.AuthorizeSecurityGroupIngress(c.ctx, allow); code(err) != "InvalidGroup.NotFound" {
		t.Errorf("without a peering: %v", err)
	}
	id := c.peering(a, b)
	do(c, c.AcceptVpcPeeringConnection, &ec2.AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: &id})
	do(c, c.AuthorizeSecurityGroupIngress, allow)
	references := do(c, c.DescribeSecurityGroupReferences, &ec2.DescribeSecurityGroupReferencesInput{
		GroupId: []string{other},
	}).SecurityGroupReferenceSet
	if len(references) != 1 || *references[0].ReferencingVpcId != a || *references[0].VpcPeeringConnectionId != id {
		t.Errorf("references %+v", references)
	}
	stale := func() []types.StaleSecurityGroup {
		in := &ec2.DescribeStaleSecurityGroupsInput{VpcId: &a}
		return do(c, c.DescribeStaleSecurityGroups, in).StaleSecurityGroupSet
	}
	if got := stale(); len(got) != 0 {
		t.Errorf("stale groups %+v", got)
	}
	do(c, c.DeleteSecurityGroup, &ec2.DeleteSecurityGroupInput{GroupId: &other})
	got := stale()
	if len(got) != 1 || *got[0].GroupId != own || len(got[0].StaleIpPermissions) != 1 ||
		*got[0].StaleIpPermissions[0].UserIdGroupPairs[0].VpcPeeringConnectionId != id {
		t.Errorf("after the deletion of the peer's group: %+v", got)
	}
}
