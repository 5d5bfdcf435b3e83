package ec2

import (
	"context"
	"slices"

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
	for _, table := range store.RouteTablesByVPC.List(r, subnet.VPCID) {
		for _, a := range table.Associations {
			if a.SubnetID == subnet.ID {
				return table, a, true
			}
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

func removeAssociation(tx *store.Tx, tableID string, match func(store.RouteTableAssociation) bool) {
	store.RouteTables.Edit(tx, tableID, func(row *store.RouteTable) {
		row.Associations = slices.DeleteFunc(slices.Clone(row.Associations), match)
	})
}

// AssociateRouteTable associates a subnet with a route table. Repeating a request is
// not an error.
func (a *API) AssociateRouteTable(
	ctx context.Context, in *ec2.AssociateRouteTableInput,
) (*ec2.AssociateRouteTableOutput, error) {
	if err := required(parameter{"routeTableId", in.RouteTableId}); err != nil {
		return nil, err
	}
	if err := unsupported(map[string]bool{
		"gatewayId": in.GatewayId != nil, "publicIpv4Pool": in.PublicIpv4Pool != nil,
	}); err != nil {
		return nil, err
	}
	if err := required(parameter{"subnetId", in.SubnetId}); err != nil {
		return nil, err
	}
	out := &ec2.AssociateRouteTableOutput{AssociationState: associated()}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		table, err := routeTables.get(tx, region, *in.RouteTableId)
		if err != nil {
			return err
		}
		subnet, err := subnets.get(tx, region, *in.SubnetId)
		if err != nil {
			return err
		}
		if subnet.VPCID != table.VPCID {
			return wire.Errorf(
				"InvalidParameterValue",
				"Route table %s and subnet %s belong to different networks", table.ID, subnet.ID,
			)
		}
		holder, existing, ok := subnetAssociation(tx, subnet)
		switch {
		case ok && holder.ID == table.ID:
			out.AssociationId = &existing.ID
		case ok:
			return wire.Errorf(
				"Resource.AlreadyAssociated",
				"the specified association for route table %s conflicts with an existing association", table.ID,
			)
		default:
			fresh := store.RouteTableAssociation{ID: a.ids.ID("rtbassoc-"), SubnetID: subnet.ID}
			addAssociation(tx, table.ID, fresh)
			out.AssociationId = &fresh.ID
		}
		return nil
	})
}

// DisassociateRouteTable removes a subnet's association. The subnet then uses its
// VPC's main route table.
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
		removeAssociation(tx, table.ID, func(a store.RouteTableAssociation) bool { return a.ID == old.ID })
		return nil
	})
}

// ReplaceRouteTableAssociation moves an association, of a subnet or of a VPC's main
// route table, to another route table.
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
		removeAssociation(tx, from.ID, func(a store.RouteTableAssociation) bool { return a.ID == old.ID })
		fresh := store.RouteTableAssociation{ID: a.ids.ID("rtbassoc-"), SubnetID: old.SubnetID, Main: old.Main}
		addAssociation(tx, to.ID, fresh)
		out.NewAssociationId = &fresh.ID
		return nil
	})
}
