package ec2

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

func associated() *types.RouteTableAssociationState {
	return &types.RouteTableAssociationState{State: types.RouteTableAssociationStateCodeAssociated}
}

// subnetAssociation returns a subnet's association and its route table. ok is false if
// the subnet uses its VPC's main route table.
func subnetAssociation(r store.Reader, subnet *store.Subnet) (*store.RouteTable, store.RouteTableAssociation, bool) {
	return findAssociation(r, subnet.VPCID, func(a store.RouteTableAssociation) bool { return a.SubnetID == subnet.ID })
}

// gatewayAssociation returns an internet gateway's association with a route table of its VPC, if it
// has one.
func gatewayAssociation(
	r store.Reader, vpcID, gatewayID string,
) (*store.RouteTable, store.RouteTableAssociation, bool) {
	return findAssociation(r, vpcID, func(a store.RouteTableAssociation) bool { return a.GatewayID == gatewayID })
}

func findAssociation(
	r store.Reader, vpcID string, match func(store.RouteTableAssociation) bool,
) (*store.RouteTable, store.RouteTableAssociation, bool) {
	for _, table := range store.RouteTablesByVPC.List(r, vpcID) {
		if i := slices.IndexFunc(table.Associations, match); i >= 0 {
			return table, table.Associations[i], true
		}
	}
	return nil, store.RouteTableAssociation{}, false
}

// associationByID returns the association with the id and its route table, or EC2's
// error.
func associationByID(
	r store.Reader, region identity.Region, id string,
) (*store.RouteTable, store.RouteTableAssociation, error) {
	for _, table := range store.RouteTables.InRegion(r, region) {
		for _, a := range table.Associations {
			if a.ID == id {
				return table, a, nil
			}
		}
	}
	return nil, store.RouteTableAssociation{}, wire.Errorf(
		"InvalidAssociationID.NotFound", "The association ID '%s' does not exist", id,
	)
}

func addAssociation(tx *store.Tx, tableID string, a store.RouteTableAssociation) {
	store.RouteTables.Edit(tx, tableID, func(row *store.RouteTable) {
		row.Associations = append(slices.Clone(row.Associations), a)
	})
}

func removeAssociation(tx *store.Tx, tableID, id string) {
	store.RouteTables.Edit(tx, tableID, func(row *store.RouteTable) {
		row.Associations = slices.DeleteFunc(
			slices.Clone(row.Associations), func(a store.RouteTableAssociation) bool { return a.ID == id },
		)
	})
}

// AssociateRouteTable associates a subnet or an internet gateway with a route table. Repeating a
// request is not an error.
func (a *API) AssociateRouteTable(
	ctx context.Context, in *ec2.AssociateRouteTableInput,
) (*ec2.AssociateRouteTableOutput, error) {
	if err := required(parameter{"routeTableId", in.RouteTableId}); err != nil {
		return nil, err
	}
	if err := unsupported(map[string]bool{"publicIpv4Pool": in.PublicIpv4Pool != nil}); err != nil {
		return nil, err
	}
	given := givenParameters([]parameter{{"subnetId", in.SubnetId}, {"gatewayId", in.GatewayId}})
	switch len(given) {
	case 0:
		return nil, missingParameter("subnetId")
	case 2:
		return nil, exclusive(given)
	}
	out := &ec2.AssociateRouteTableOutput{AssociationState: associated()}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		table, err := routeTables.get(tx, region, *in.RouteTableId)
		if err != nil {
			return err
		}
		wanted, err := associationWith(tx, table, aws.ToString(in.SubnetId), aws.ToString(in.GatewayId))
		if err != nil {
			return err
		}
		holder, existing, ok := findAssociation(tx, table.VPCID, func(a store.RouteTableAssociation) bool {
			return !a.Main && a.SubnetID == wanted.SubnetID && a.GatewayID == wanted.GatewayID
		})
		switch {
		case ok && holder.ID == table.ID:
			out.AssociationId = &existing.ID
		case ok:
			return wire.Errorf(
				"Resource.AlreadyAssociated",
				"the specified association for route table %s conflicts with an existing association", table.ID,
			)
		default:
			wanted.ID = a.ids.ID("rtbassoc-")
			addAssociation(tx, table.ID, wanted)
			out.AssociationId = &wanted.ID
		}
		return nil
	})
}

// associationWith returns an association of a route table with a subnet, or else with an internet
// gateway, that has no id yet.
func associationWith(
	r store.Reader, table *store.RouteTable, subnetID, gatewayID string,
) (to store.RouteTableAssociation, err error) {
	if subnetID != "" {
		subnet, err := subnets.get(r, table.Region, subnetID)
		switch {
		case err != nil:
			return to, err
		case subnet.VPCID != table.VPCID:
			return to, wire.Errorf(
				"InvalidParameterValue",
				"Route table %s and subnet %s belong to different networks", table.ID, subnet.ID,
			)
		}
		return store.RouteTableAssociation{SubnetID: subnet.ID}, nil
	}
	gateway, ok := store.InternetGateways.Get(r, gatewayID)
	switch {
	case !ok || gateway.Region != table.Region:
		return to, wire.Errorf("InvalidGatewayID.NotFound", "The gateway ID '%s' does not exist", gatewayID)
	case gateway.VPCID != table.VPCID:
		return to, wire.Errorf(
			"InvalidParameterValue",
			"route table %s and network gateway %s belong to different networks", table.ID, gateway.ID,
		)
	}
	return store.RouteTableAssociation{GatewayID: gateway.ID}, checkIngressTable(table)
}

// checkIngressTable refuses a route table that cannot be an internet gateway's: its routes lead to
// parts of the VPC, and to interfaces, and it is not the main one (Amazon VPC User Guide, Gateway
// route tables).
func checkIngressTable(table *store.RouteTable) error {
	if isMain(table) {
		return wire.Errorf(
			"InvalidParameterValue", "The main route table %s cannot be associated with a gateway.", table.ID,
		)
	}
	for _, route := range table.Routes {
		if err := checkIngressRoute(table, route); err != nil {
			return err
		}
	}
	return nil
}

// checkIngressRoute refuses a route that the table of an internet gateway cannot have.
func checkIngressRoute(table *store.RouteTable, route store.Route) error {
	switch {
	case !isInVPC(table, route):
		return wire.Errorf(
			"InvalidParameterValue",
			"Route table %s is for a gateway, so the route destination %s has to be a CIDR block of the VPC "+
				"or of one of its subnets.", table.ID, route.To(),
		)
	case route.GatewayID != localGateway && route.InterfaceID == "":
		return wire.Errorf(
			"InvalidParameterValue",
			"Route table %s is for a gateway, so the route to %s has to target an interface or an instance.",
			table.ID, route.To(),
		)
	}
	return nil
}

// isIngressTable reports whether a route table is associated with an internet gateway.
func isIngressTable(table *store.RouteTable) bool {
	isOfGateway := func(a store.RouteTableAssociation) bool { return a.GatewayID != "" }
	return slices.ContainsFunc(table.Associations, isOfGateway)
}

// DisassociateRouteTable removes an association. A subnet then uses its VPC's main route table, and
// what enters by an internet gateway goes straight to its receivers.
func (a *API) DisassociateRouteTable(
	ctx context.Context, in *ec2.DisassociateRouteTableInput,
) (*ec2.DisassociateRouteTableOutput, error) {
	if err := required(parameter{"associationId", in.AssociationId}); err != nil {
		return nil, err
	}
	out := &ec2.DisassociateRouteTableOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		table, old, err := associationByID(tx, region, *in.AssociationId)
		if err != nil {
			return err
		}
		if old.Main {
			return wire.Errorf(
				"InvalidParameterValue", "cannot disassociate the main route table association %s", old.ID,
			)
		}
		removeAssociation(tx, table.ID, old.ID)
		return nil
	})
}

// checkReplacedTable refuses a route table that an association cannot move to.
func checkReplacedTable(to *store.RouteTable, old store.RouteTableAssociation) error {
	switch {
	case old.GatewayID != "":
		return checkIngressTable(to)
	case old.Main && isIngressTable(to):
		return wire.Errorf(
			"InvalidParameterValue",
			"Route table %s is associated with a gateway and cannot be the main route table.", to.ID,
		)
	}
	return nil
}

// ReplaceRouteTableAssociation moves an association, of a subnet, of an internet gateway or of a
// VPC's main route table, to another route table.
func (a *API) ReplaceRouteTableAssociation(
	ctx context.Context, in *ec2.ReplaceRouteTableAssociationInput,
) (*ec2.ReplaceRouteTableAssociationOutput, error) {
	if err := required(
		parameter{"associationId", in.AssociationId}, parameter{"routeTableId", in.RouteTableId},
	); err != nil {
		return nil, err
	}
	out := &ec2.ReplaceRouteTableAssociationOutput{AssociationState: associated()}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		from, old, err := associationByID(tx, region, *in.AssociationId)
		if err != nil {
			return err
		}
		to, err := routeTables.get(tx, region, *in.RouteTableId)
		if err != nil {
			return err
		}
		if from.VPCID != to.VPCID {
			return wire.Errorf(
				"InvalidParameterValue",
				"Route table %s and association %s belong to different networks", to.ID, old.ID,
			)
		}
		if err := checkReplacedTable(to, old); err != nil {
			return err
		}
		removeAssociation(tx, from.ID, old.ID)
		fresh := old
		fresh.ID = a.ids.ID("rtbassoc-")
		addAssociation(tx, to.ID, fresh)
		out.NewAssociationId = &fresh.ID
		return nil
	})
}
