package ec2

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
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
