package blueprint

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// EC2Tags returns tags of EC2 as a map.
func EC2Tags(tags []types.Tag) map[string]string {
	return tagsOf(tags, func(t types.Tag) (key, value *string) { return t.Key, t.Value })
}

// existingNetwork finds the VPC and the subnets in which the application is, and which are not
// its own.
func (r *reader) existingNetwork() {
	vpc, public, private := "", map[string]bool{}, map[string]bool{}
	for _, f := range r.source.Found {
		switch f.Kind {
		case stack.KindSecurityGroup, stack.KindTargetGroup:
			vpc = f.Value(stack.AttrVPC)
		case stack.KindLoadBalancer:
			for _, id := range f.Values(stack.AttrSubnets) {
				public[id] = true
			}
		case stack.KindServer:
			private[f.Value(stack.AttrSubnet)] = true
		case stack.KindScalingGroup:
			for _, id := range f.Values(stack.AttrSubnets) {
				private[id] = true
			}
		}
	}
	for id := range public {
		delete(private, id)
	}
	input := func(id, name, what string) {
		r.Inputs = append(r.Inputs, Input{Name: name, What: what + ", which existed before the application", ID: id})
	}
	if vpc != "" {
		input(vpc, "vpc", "VPC")
	}
	for i, id := range slices.Sorted(maps.Keys(public)) {
		r.SubnetNames[id] = fmt.Sprintf("public_subnet_%d", i+1)
		input(id, r.SubnetNames[id], "public subnet")
	}
	for i, id := range slices.Sorted(maps.Keys(private)) {
		r.SubnetNames[id] = fmt.Sprintf("private_subnet_%d", i+1)
		input(id, r.SubnetNames[id], "private subnet")
	}
}

// SortedSubnets sorts ids of subnets by their names.
func (b *Blueprint) SortedSubnets(all []string) []string {
	return slices.SortedFunc(slices.Values(all), func(x, y string) int {
		return cmp.Compare(b.SubnetNames[x], b.SubnetNames[y])
	})
}

func (r *reader) vpcs(ctx context.Context) (err error) {
	r.VPCs, err = each(r, stack.KindVPC, func(f plan.Found) (types.Vpc, map[string]string, error) {
		v, err := only(func(o *ec2.DescribeVpcsOutput) []types.Vpc { return o.Vpcs })(
			r.source.Client.EC2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{f.ID}}))
		return v, EC2Tags(v.Tags), err
	})
	return err
}

func (r *reader) subnets(ctx context.Context) (err error) {
	r.Subnets, err = each(r, stack.KindSubnet, func(f plan.Found) (types.Subnet, map[string]string, error) {
		r.SubnetNames[f.ID] = f.Address
		s, err := only(func(o *ec2.DescribeSubnetsOutput) []types.Subnet { return o.Subnets })(
			r.source.Client.EC2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{f.ID}}))
		return s, EC2Tags(s.Tags), err
	})
	return err
}

func (r *reader) gateways(ctx context.Context) (err error) {
	r.InternetGateways, err = each(r, stack.KindInternetGateway,
		func(f plan.Found) (types.InternetGateway, map[string]string, error) {
			g, err := only(func(o *ec2.DescribeInternetGatewaysOutput) []types.InternetGateway {
				return o.InternetGateways
			})(r.source.Client.EC2.DescribeInternetGateways(ctx, &ec2.DescribeInternetGatewaysInput{
				InternetGatewayIds: []string{f.ID},
			}))
			return g, EC2Tags(g.Tags), err
		})
	return err
}

// natGateways reads the NAT gateways and their public addresses.
func (r *reader) natGateways(ctx context.Context) (err error) {
	r.ElasticIPs, err = each(r, stack.KindElasticIP, func(f plan.Found) (types.Address, map[string]string, error) {
		a, err := only(func(o *ec2.DescribeAddressesOutput) []types.Address { return o.Addresses })(
			r.source.Client.EC2.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{AllocationIds: []string{f.ID}}))
		return a, EC2Tags(a.Tags), err
	})
	if err != nil {
		return err
	}
	r.NATGateways, err = each(r, stack.KindNatGateway, func(f plan.Found) (types.NatGateway, map[string]string, error) {
		g, err := only(func(o *ec2.DescribeNatGatewaysOutput) []types.NatGateway { return o.NatGateways })(
			r.source.Client.EC2.DescribeNatGateways(ctx, &ec2.DescribeNatGatewaysInput{NatGatewayIds: []string{f.ID}}))
		return g, EC2Tags(g.Tags), err
	})
	return err
}

// routeTables reads the route tables. Their associations are sorted by the names of subnets.
func (r *reader) routeTables(ctx context.Context) (err error) {
	r.RouteTables, err = each(r, stack.KindRouteTable, func(f plan.Found) (types.RouteTable, map[string]string, error) {
		t, err := only(func(o *ec2.DescribeRouteTablesOutput) []types.RouteTable { return o.RouteTables })(
			r.source.Client.EC2.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{f.ID}}))
		slices.SortFunc(t.Associations, func(a, b types.RouteTableAssociation) int {
			return cmp.Compare(r.SubnetNames[aws.ToString(a.SubnetId)], r.SubnetNames[aws.ToString(b.SubnetId)])
		})
		return t, EC2Tags(t.Tags), err
	})
	return err
}
