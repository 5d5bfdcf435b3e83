package ec2

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// associateACL associates a subnet with a network ACL and returns the association.
func (a *API) associateACL(tx *store.Tx, aclID, subnetID string) store.NetworkACLAssociation {
	fresh := store.NetworkACLAssociation{ID: a.ids.ID("aclassoc-"), SubnetID: subnetID}
	store.NetworkACLs.Edit(
		tx, aclID, func(row *store.NetworkACL) { row.Associations = append(slices.Clone(row.Associations), fresh) },
	)
	return fresh
}

// disassociateACL removes a subnet's association with its network ACL.
func disassociateACL(tx *store.Tx, subnet *store.Subnet) {
	ofSubnet := func(a store.NetworkACLAssociation) bool { return a.SubnetID == subnet.ID }
	for _, acl := range store.NetworkACLsByVPC.List(tx, subnet.VPCID) {
		if slices.ContainsFunc(acl.Associations, ofSubnet) {
			store.NetworkACLs.Edit(tx, acl.ID, func(row *store.NetworkACL) {
				row.Associations = slices.DeleteFunc(slices.Clone(row.Associations), ofSubnet)
			})
		}
	}
}

// ReplaceNetworkAclAssociation associates a subnet with another network ACL.
func (a *API) ReplaceNetworkAclAssociation(
	ctx context.Context, in *ec2.ReplaceNetworkAclAssociationInput,
) (*ec2.ReplaceNetworkAclAssociationOutput, error) {
	if err := required(
		parameter{"associationId", in.AssociationId}, parameter{"networkAclId", in.NetworkAclId},
	); err != nil {
		return nil, err
	}
	out := &ec2.ReplaceNetworkAclAssociationOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		subnet, err := subnetOfACLAssociation(tx, region, *in.AssociationId)
		if err != nil {
			return err
		}
		acl, err := networkACLs.get(tx, region, *in.NetworkAclId)
		if err != nil {
			return err
		}
		if acl.VPCID != subnet.VPCID {
			return wire.Errorf(
				"InvalidParameterValue", "Network ACL %s and subnet %s belong to different networks", acl.ID, subnet.ID,
			)
		}
		disassociateACL(tx, subnet)
		fresh := a.associateACL(tx, acl.ID, subnet.ID)
		out.NewAssociationId = &fresh.ID
		return nil
	})
}

// subnetOfACLAssociation returns the subnet of an association with a network ACL.
func subnetOfACLAssociation(r store.Reader, region identity.Region, associationID string) (*store.Subnet, error) {
	for _, acl := range store.NetworkACLs.InRegion(r, region) {
		for _, a := range acl.Associations {
			if a.ID == associationID {
				return subnets.get(r, region, a.SubnetID)
			}
		}
	}
	return nil, wire.Errorf("InvalidAssociationID.NotFound", "The association ID '%s' does not exist", associationID)
}
