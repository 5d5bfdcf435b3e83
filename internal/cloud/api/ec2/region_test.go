package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestANewRegionHasADefaultVPCAndPublicImages(t *testing.T) {
	c := newCloud(t)
	c.ctx = in("eu-west-1")
	vpcs := do(c, c.DescribeVpcs, &ec2.DescribeVpcsInput{Filters: []types.Filter{filter("is-default", "true")}}).Vpcs
	if len(vpcs) != 1 || *vpcs[0].CidrBlock != "172.31.0.0/16" {
		t.Fatalf("default VPC: %+v", vpcs)
	}
	id := *vpcs[0].VpcId
	of := []types.Filter{filter("vpc-id", id)}
	subnets := do(c, c.DescribeSubnets, &ec2.DescribeSubnetsInput{Filters: of}).Subnets
	if len(subnets) != 3 {
		t.Errorf("got %d default subnets, want 3", len(subnets))
	}
	for _, s := range subnets {
		if *s.AvailableIpAddressCount != 4091 || !*s.DefaultForAz || !*s.MapPublicIpOnLaunch {
			t.Errorf("default subnet: %+v", s)
		}
	}
	tables := do(c, c.DescribeRouteTables, &ec2.DescribeRouteTablesInput{Filters: of}).RouteTables
	if len(tables) != 1 || !*tables[0].Associations[0].Main || len(tables[0].Routes) != 2 ||
		tables[0].Routes[1].State != types.RouteStateActive {
		t.Errorf("main route table: %+v", tables)
	}
	groups := do(c, c.DescribeSecurityGroups, &ec2.DescribeSecurityGroupsInput{Filters: of}).SecurityGroups
	if len(groups) != 1 || *groups[0].GroupName != "default" ||
		*groups[0].IpPermissions[0].UserIdGroupPairs[0].GroupId != *groups[0].GroupId {
		t.Errorf("default group: %+v", groups)
	}
	acls := do(c, c.DescribeNetworkAcls, &ec2.DescribeNetworkAclsInput{Filters: of}).NetworkAcls
	if len(acls) != 1 || !*acls[0].IsDefault || len(acls[0].Entries) != 4 || len(acls[0].Associations) != 3 {
		t.Errorf("default network ACL: %+v", acls)
	}
	options := do(c, c.DescribeDhcpOptions,
		&ec2.DescribeDhcpOptionsInput{DhcpOptionsIds: []string{*vpcs[0].DhcpOptionsId}}).DhcpOptions
	if len(options) != 1 || *options[0].DhcpConfigurations[0].Values[0].Value != "eu-west-1.compute.internal" {
		t.Errorf("DHCP options: %+v", options)
	}
	view := c.Store.View()
	images := store.Images.InRegion(view, "eu-west-1")
	alias, ok := store.Parameters.Get(view, "eu-west-1/aws/service/debian/release/12/latest/amd64")
	if len(images) != 1 || !ok || alias.Value != images[0].ID || images[0].State != "available" {
		t.Errorf("public image %+v, alias %+v", images, alias)
	}
}

func TestRegionsAreIsolated(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	c.ctx = in("eu-west-1")
	wantError(c, c.DescribeVpcs, &ec2.DescribeVpcsInput{VpcIds: []string{vpc}},
		"InvalidVpcID.NotFound: The vpc ID '"+vpc+"' does not exist")
	c.ctx = in("nowhere-1")
	if _, err := c.DescribeVpcs(c.ctx, &ec2.DescribeVpcsInput{}); code(err) != "InvalidRegion" {
		t.Errorf("an unknown region: %v", err)
	}
}

func TestNewPublicImagesReachExistingRegions(t *testing.T) {
	c := newCloud(t)
	do(c, c.DescribeVpcs, &ec2.DescribeVpcsInput{})
	later := c.Images[0]
	later.Name = "debian-12-amd64-20270101-0001"
	c.API = New(Config{Store: c.Store, Images: []BaseImage{later}})
	do(c, c.DescribeVpcs, &ec2.DescribeVpcsInput{})
	view := c.Store.View()
	images := store.ImagesByName.List(view, home+"/"+later.Name)
	alias, _ := store.Parameters.Get(view, home+later.Parameters[0])
	if len(images) != 1 || alias.Value != images[0].ID || alias.Version != 2 || len(store.VPCs.List(view)) != 1 {
		t.Errorf("images %+v, alias %+v", images, alias)
	}
}
