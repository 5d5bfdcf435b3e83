package ec2

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
)

func TestRoutesTargetTheVPCsInternetGateway(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	table := do(c, c.CreateRouteTable, &ec2.CreateRouteTableInput{VpcId: &vpc}).RouteTable.RouteTableId
	gateway := do(c, c.CreateInternetGateway, &ec2.CreateInternetGatewayInput{}).InternetGateway.InternetGatewayId
	route := func(destination string) *ec2.CreateRouteInput {
		return &ec2.CreateRouteInput{RouteTableId: table, DestinationCidrBlock: &destination, GatewayId: gateway}
	}
	wantError(c, c.CreateRoute, route("0.0.0.0/0"), fmt.Sprintf(
		"InvalidParameterValue: route table %s and network gateway %s belong to different networks", *table, *gateway,
	))
	do(c, c.AttachInternetGateway, &ec2.AttachInternetGatewayInput{InternetGatewayId: gateway, VpcId: &vpc})
	do(c, c.CreateRoute, route("0.0.0.0/0"))
	wantError(c, c.CreateRoute, &ec2.CreateRouteInput{RouteTableId: table, GatewayId: gateway}, "MissingParameter: "+
		"The request must contain the parameter destinationCidrBlock or destinationIpv6CidrBlock")
	wantError(c, c.CreateRoute, route("10.0.0.0/16"),
		"RouteAlreadyExists: The route identified by 10.0.0.0/16 already exists.")
	if _, err := c.CreateRoute(c.ctx, route("10.0.1.0/24")); code(err) != "InvalidParameterValue" {
		t.Errorf("route inside the VPC: got %v", err)
	}
	wantError(c, c.CreateRoute, &ec2.CreateRouteInput{
		RouteTableId:         table,
		DestinationCidrBlock: aws.String("1.0.0.0/8"),
		GatewayId:            aws.String("igw-00000000"),
	}, "InvalidGatewayID.NotFound: The gateway ID 'igw-00000000' does not exist")
	wantError(c, c.ReplaceRoute,
		&ec2.ReplaceRouteInput{RouteTableId: table, DestinationCidrBlock: aws.String("1.0.0.0/8"), GatewayId: gateway},
		"InvalidParameterValue: There is no route defined for '1.0.0.0/8' in the route table. Use CreateRoute instead.")
	do(c, c.ReplaceRoute,
		&ec2.ReplaceRouteInput{RouteTableId: table, DestinationCidrBlock: aws.String("0.0.0.0/0"), GatewayId: gateway})
	do(c, c.DetachInternetGateway, &ec2.DetachInternetGatewayInput{InternetGatewayId: gateway, VpcId: &vpc})
	if holes := do(c, c.DescribeRouteTables, &ec2.DescribeRouteTablesInput{
		Filters: []types.Filter{filter("route.state", "blackhole")},
	}).RouteTables; len(holes) != 1 ||
		*holes[0].RouteTableId != *table {
		t.Errorf("route tables with black holes: %+v", holes)
	}
	wantError(c, c.DeleteRoute,
		&ec2.DeleteRouteInput{RouteTableId: table, DestinationCidrBlock: aws.String("10.0.0.0/16")},
		"InvalidParameterValue: cannot remove local route 10.0.0.0/16 in route table "+*table)
	do(c, c.DeleteRoute, &ec2.DeleteRouteInput{RouteTableId: table, DestinationCidrBlock: aws.String("0.0.0.0/0")})
	wantError(c, c.DeleteRoute,
		&ec2.DeleteRouteInput{RouteTableId: table, DestinationCidrBlock: aws.String("0.0.0.0/0")},
		"InvalidRoute.NotFound: no route with destination-cidr-block 0.0.0.0/0 in route table "+*table)
}

func TestRoutesWithinTheVPCPassAnInterface(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	subnet := c.subnet(vpc, "10.0.1.0/24", "us-east-1a")
	nic := c.nic(addressing.InterfaceSpec{}, subnet).ID
	table := do(c, c.CreateRouteTable, &ec2.CreateRouteTableInput{VpcId: &vpc}).RouteTable.RouteTableId
	gateway := do(c, c.CreateInternetGateway, &ec2.CreateInternetGatewayInput{}).InternetGateway.InternetGatewayId
	do(c, c.AttachInternetGateway, &ec2.AttachInternetGatewayInput{InternetGatewayId: gateway, VpcId: &vpc})
	create := func(destination string) *ec2.CreateRouteInput {
		return &ec2.CreateRouteInput{
			RouteTableId: table, DestinationCidrBlock: &destination, NetworkInterfaceId: &nic,
		}
	}
	replace := func(destination string, change func(*ec2.ReplaceRouteInput)) *ec2.ReplaceRouteInput {
		in := &ec2.ReplaceRouteInput{RouteTableId: table, DestinationCidrBlock: &destination}
		change(in)
		return in
	}
	toInterface := func(in *ec2.ReplaceRouteInput) { in.NetworkInterfaceId = &nic }
	toGateway := func(in *ec2.ReplaceRouteInput) { in.GatewayId = gateway }
	toLocal := func(in *ec2.ReplaceRouteInput) { in.LocalTarget = aws.Bool(true) }
	routes := func() (all []string) {
		in := &ec2.DescribeRouteTablesInput{RouteTableIds: []string{*table}}
		for _, r := range do(c, c.DescribeRouteTables, in).RouteTables[0].Routes {
			via := aws.ToString(r.GatewayId) + aws.ToString(r.NetworkInterfaceId)
			all = append(all, *r.DestinationCidrBlock+" "+via+" "+string(r.Origin))
		}
		return all
	}
	do(c, c.CreateRoute, create("10.0.1.0/24"))
	do(c, c.ReplaceRoute, replace("10.0.0.0/16", toInterface))
	want := []string{"10.0.0.0/16 " + nic + " CreateRouteTable", "10.0.1.0/24 " + nic + " CreateRoute"}
	if got := routes(); !slices.Equal(got, want) {
		t.Errorf("routes %q, want %q", got, want)
	}
	within := func(block string) string {
		return "InvalidParameterValue: The destination CIDR block " + block + " is equal to or more specific than " +
			"one of this VPC's CIDR blocks. This route can target only an interface or an instance."
	}
	const noSubnet = "InvalidParameterValue: Route destination doesn't match any subnet CIDR blocks."
	wantError(c, c.CreateRoute, create("10.0.2.0/24"), noSubnet)
	wantError(c, c.CreateRoute, create("10.0.1.0/25"), noSubnet)
	wantError(c, c.ReplaceRoute, replace("10.0.0.0/16", toGateway), within("10.0.0.0/16"))
	wantError(c, c.ReplaceRoute, replace("10.0.1.0/24", toGateway), within("10.0.1.0/24"))
	wantError(c, c.ReplaceRoute, replace("10.0.1.0/24", toLocal),
		"InvalidParameterValue: Value (true) for parameter localTarget is invalid. The route is not a local route.")
	wantError(c, c.ReplaceRoute, replace("10.0.0.0/16", func(in *ec2.ReplaceRouteInput) { toLocal(in); toGateway(in) }),
		"InvalidParameterCombination: The parameter localTarget cannot be used with the parameter gatewayId")
	wantError(c, c.DeleteRoute,
		&ec2.DeleteRouteInput{RouteTableId: table, DestinationCidrBlock: aws.String("10.0.0.0/16")},
		"InvalidParameterValue: cannot remove local route 10.0.0.0/16 in route table "+*table)

	do(c, c.ReplaceRoute, replace("10.0.0.0/16", toLocal))
	do(c, c.DeleteRoute, &ec2.DeleteRouteInput{RouteTableId: table, DestinationCidrBlock: aws.String("10.0.1.0/24")})
	if got, want := routes(), []string{"10.0.0.0/16 local CreateRouteTable"}; !slices.Equal(got, want) {
		t.Errorf("routes %q, want %q", got, want)
	}
}
