package ec2

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// profileAssociationPrefix starts the ids of associations of instances with instance
// profiles.
const profileAssociationPrefix = "iip-assoc-"

// profileAssociationFilters are the filters of associations (Amazon EC2 API Reference,
// DescribeIamInstanceProfileAssociations).
var profileAssociationFilters = filters[vm]{
	"instance-id": field(func(row vm) string { return row.ID }),
	"state":       constant[vm](string(types.IamInstanceProfileAssociationStateAssociated)),
}

// DescribeIamInstanceProfileAssociations lists associations of instances with profiles.
func (a *API) DescribeIamInstanceProfileAssociations(
	ctx context.Context, in *ec2.DescribeIamInstanceProfileAssociationsInput,
) (*ec2.DescribeIamInstanceProfileAssociationsOutput, error) {
	view, region, err := a.read(ctx, nil)
	if err != nil {
		return nil, err
	}
	pages := pageRequest{in.MaxResults, in.NextToken}
	if err := pages.check("AssociationId", len(in.AssociationIds) > 0); err != nil {
		return nil, err
	}
	if err := profileAssociationFilters.check(in.Filters); err != nil {
		return nil, err
	}
	rows, err := associatedInstances(view, region, in.AssociationIds)
	if err != nil {
		return nil, err
	}
	var found []vm
	for _, row := range rows {
		if profileAssociationFilters.match(view, row, store.Tags{}, in.Filters) {
			found = append(found, row)
		}
	}
	found, next, err := paginate(pages, found, instances.id)
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeIamInstanceProfileAssociationsOutput{
		NextToken: next,
		IamInstanceProfileAssociations: list(found, func(row vm) types.IamInstanceProfileAssociation {
			item := profileAssociationItem(view, row, types.IamInstanceProfileAssociationStateAssociated)
			item.Timestamp = aws.Time(row.ProfileAssociatedAt)
			return *item
		}),
	}, nil
}

// AssociateIamInstanceProfile gives a running or stopped instance a profile.
func (a *API) AssociateIamInstanceProfile(
	ctx context.Context, in *ec2.AssociateIamInstanceProfileInput,
) (*ec2.AssociateIamInstanceProfileOutput, error) {
	if err := required(parameter{"InstanceId", in.InstanceId}); err != nil {
		return nil, err
	}
	out := &ec2.AssociateIamInstanceProfileOutput{}
	err := a.change(ctx, nil, func(tx *store.Tx, region identity.Region) error {
		row, err := instances.get(tx, region, *in.InstanceId)
		if err != nil {
			return err
		}
		switch {
		case !mayChangeProfile(row):
			return incorrectState(row, "associated with an IAM instance profile")
		case row.ProfileARN != "":
			return wire.Errorf("IncorrectState", "There is an existing association for instance %s", row.ID)
		}
		out.IamInstanceProfileAssociation, err = a.associate(ctx, tx, row, in.IamInstanceProfile)
		return err
	})
	return out, err
}

// ReplaceIamInstanceProfileAssociation gives a running instance another profile. The
// association gets a new id.
func (a *API) ReplaceIamInstanceProfileAssociation(
	ctx context.Context, in *ec2.ReplaceIamInstanceProfileAssociationInput,
) (*ec2.ReplaceIamInstanceProfileAssociationOutput, error) {
	out := &ec2.ReplaceIamInstanceProfileAssociationOutput{}
	err := a.change(ctx, nil, func(tx *store.Tx, region identity.Region) error {
		row, err := associatedInstance(tx, region, in.AssociationId)
		if err != nil {
			return err
		}
		if row.State != store.Running {
			return wire.Errorf(
				"IncorrectState", "The association %s is not the active association", row.ProfileAssociationID,
			)
		}
		out.IamInstanceProfileAssociation, err = a.associate(ctx, tx, row, in.IamInstanceProfile)
		return err
	})
	return out, err
}

// DisassociateIamInstanceProfile takes the profile from an instance. Credentials that its
// programs have already read stay valid until they expire, as on AWS.
func (a *API) DisassociateIamInstanceProfile(
	ctx context.Context, in *ec2.DisassociateIamInstanceProfileInput,
) (*ec2.DisassociateIamInstanceProfileOutput, error) {
	out := &ec2.DisassociateIamInstanceProfileOutput{}
	err := a.change(ctx, nil, func(tx *store.Tx, region identity.Region) error {
		row, err := associatedInstance(tx, region, in.AssociationId)
		if err != nil {
			return err
		}
		out.IamInstanceProfileAssociation = profileAssociationItem(
			tx, row, types.IamInstanceProfileAssociationStateDisassociating,
		)
		after := *row
		after.ProfileARN, after.ProfileAssociationID = "", ""
		store.Instances.Put(tx, &after)
		return nil
	})
	return out, err
}

// associate gives an instance a profile, and returns the new association.
func (a *API) associate(
	ctx context.Context, tx *store.Tx, row vm, spec *types.IamInstanceProfileSpecification,
) (*types.IamInstanceProfileAssociation, error) {
	after, err := a.withProfile(ctx, tx, row, spec)
	if err != nil {
		return nil, err
	}
	return profileAssociationItem(tx, after, types.IamInstanceProfileAssociationStateAssociating), nil
}

// withProfile stores an instance with the profile that a request names.
func (a *API) withProfile(
	ctx context.Context, tx *store.Tx, row vm, spec *types.IamInstanceProfileSpecification,
) (vm, error) {
	profile, err := findProfile(tx, row.Region, spec)
	if err != nil {
		return nil, err
	}
	if profile == nil {
		return nil, missingParameter("IamInstanceProfile")
	}
	if err := a.passProfile(ctx, tx, profile); err != nil {
		return nil, err
	}
	after := *row
	a.setProfile(&after, profile)
	store.Instances.Put(tx, &after)
	return &after, nil
}

// mayChangeProfile reports whether an instance is in a state in which it can get a
// profile.
func mayChangeProfile(row vm) bool {
	return row.State == store.Pending || row.State == store.Running ||
		row.State == store.Stopping || row.State == store.Stopped
}

// hasProfile reports whether an instance has an association. It ends with the instance.
func hasProfile(row vm) bool { return row.ProfileARN != "" && mayChangeProfile(row) }

// associatedInstances returns the instances with the associations, or all that have one.
func associatedInstances(r store.Reader, region identity.Region, ids []string) ([]vm, error) {
	var found []vm
	for _, id := range ids {
		row, err := associatedInstance(r, region, &id)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(found, row) {
			found = append(found, row)
		}
	}
	if len(ids) > 0 {
		return found, nil
	}
	for _, row := range store.Instances.InRegion(r, region) {
		if hasProfile(row) {
			found = append(found, row)
		}
	}
	return found, nil
}

// associatedInstance returns the instance with an association.
func associatedInstance(r store.Reader, region identity.Region, id *string) (vm, error) {
	if err := required(parameter{"AssociationId", id}); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(*id, profileAssociationPrefix) {
		return nil, wire.Errorf("InvalidParameterValue", "Invalid value for associationId.")
	}
	for _, row := range store.Instances.InRegion(r, region) {
		if row.ProfileAssociationID == *id && hasProfile(row) {
			return row, nil
		}
	}
	return nil, wire.Errorf("InvalidAssociationID.NotFound", "An invalid association-id of '%s' was given", *id)
}

func profileAssociationItem(
	r store.Reader, row vm, state types.IamInstanceProfileAssociationState,
) *types.IamInstanceProfileAssociation {
	return &types.IamInstanceProfileAssociation{
		AssociationId: aws.String(row.ProfileAssociationID), InstanceId: aws.String(row.ID),
		IamInstanceProfile: profileItem(r, row), State: state,
	}
}
