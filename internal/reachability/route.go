package reachability

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// route returns the hop of a subnet's route to an address, and the id of what it leads to:
// "local" or a gateway's.
func (w *world) route(subnet, vpc string, to peer) (h Hop, via string) {
	h = Hop{Kind: Route, At: subnet}
	table := w.routeTable(subnet, vpc)
	if table == nil {
		h.State, h.Reason = Unknown, "the subnet's route table is not described"
		return h, ""
	}
	h.ID = aws.ToString(table.RouteTableId)
	best, bits := (*types.Route)(nil), -1
	for i := range table.Routes {
		r := &table.Routes[i]
		prefix, err := netip.ParsePrefix(aws.ToString(r.DestinationCidrBlock))
		if err == nil && to.within(r.DestinationCidrBlock) && prefix.Bits() > bits {
			best, bits = r, prefix.Bits()
		}
	}
	if best == nil {
		h.State, h.Reason = Blocks, "no route leads to "+to.String()
		h.Fix = w.createRoute(h.ID, vpc)
		return h, ""
	}
	via = cmp.Or(aws.ToString(best.GatewayId), aws.ToString(best.NatGatewayId),
		aws.ToString(best.VpcPeeringConnectionId), aws.ToString(best.TransitGatewayId),
		aws.ToString(best.NetworkInterfaceId), aws.ToString(best.InstanceId))
	h.Rule = aws.ToString(best.DestinationCidrBlock)
	if best.State == types.RouteStateBlackhole || strings.HasPrefix(via, "igw-") && w.deadGateway(via, vpc) {
		h.State = Blocks
		h.Reason = fmt.Sprintf("the route %s leads to %s, which is gone: packets are dropped", h.Rule, via)
		h.Fix = w.replaceRoute(h, vpc, via)
		return h, ""
	}
	h.State, h.Reason = Allows, h.Rule+" leads to "+via
	return h, via
}

// deadGateway reports whether an internet gateway is deleted, or not attached to a VPC.
func (w *world) deadGateway(id, vpc string) bool {
	gateway := w.internetGateway(id)
	return gateway == nil || !attachedTo(gateway, vpc)
}

// newGateway is a gateway's id in commands that come after its creation.
const newGateway = "igw-NEW"

// withGateway returns a command that needs a VPC's internet gateway, after those that create
// one if there is none.
func (w *world) withGateway(vpc string, command func(gateway string) string) string {
	if gateway := w.attachedGateway(vpc); gateway != nil {
		return command(aws.ToString(gateway.InternetGatewayId))
	}
	return "aws ec2 create-internet-gateway && aws ec2 attach-internet-gateway --vpc-id " + vpc +
		" --internet-gateway-id " + newGateway + " && " + command(newGateway)
}

func (w *world) createRoute(table, vpc string) string {
	return w.withGateway(vpc, func(gateway string) string {
		return "aws ec2 create-route --route-table-id " + table +
			" --destination-cidr-block 0.0.0.0/0 --gateway-id " + gateway
	})
}

// replaceRoute returns the command after which a route leads somewhere again.
func (w *world) replaceRoute(h Hop, vpc, via string) string {
	replace := "aws ec2 replace-route --route-table-id " + h.ID + " --destination-cidr-block " + h.Rule
	switch {
	case strings.HasPrefix(via, "igw-") && w.internetGateway(via) != nil && w.attachedGateway(vpc) == nil:
		return "aws ec2 attach-internet-gateway --vpc-id " + vpc + " --internet-gateway-id " + via
	case strings.HasPrefix(via, "igw-"):
		return w.withGateway(vpc, func(gateway string) string { return replace + " --gateway-id " + gateway })
	case strings.HasPrefix(via, "nat-"):
		return replace + " --nat-gateway-id nat-NEW, a NAT gateway that is available"
	default:
		return replace + " with a target that exists"
	}
}
