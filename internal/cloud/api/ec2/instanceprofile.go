package ec2

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// findProfile returns the instance profile that a request names by ARN or by name, or nil
// if it names none.
func findProfile(
	r store.Reader, region identity.Region, spec *types.IamInstanceProfileSpecification,
) (*store.InstanceProfile, error) {
	arn, name := "", ""
	if spec != nil {
		arn, name = aws.ToString(spec.Arn), aws.ToString(spec.Name)
	}
	switch {
	case arn != "" && name != "":
		return nil, wire.Errorf(
			"InvalidParameterCombination", "The parameter 'iamInstanceProfile.name' may not be used in combination "+
				"with 'iamInstanceProfile.arn'",
		)
	case arn != "":
		row, ok := store.InstanceProfiles.Get(r, store.NameKey(region, profileName(arn)))
		if !ok || row.ARN != arn {
			return nil, invalidValue("iamInstanceProfile.arn", arn, "Invalid IAM Instance Profile ARN")
		}
		return row, nil
	case name != "":
		row, ok := store.InstanceProfiles.Get(r, store.NameKey(region, name))
		if !ok {
			return nil, invalidValue("iamInstanceProfile.name", name, "Invalid IAM Instance Profile name")
		}
		return row, nil
	}
	return nil, nil
}

// passProfile refuses an instance profile, nil for none, that has no role, or whose role
// the caller may not pass to instances.
func (a *API) passProfile(ctx context.Context, r store.Reader, profile *store.InstanceProfile) error {
	if profile == nil {
		return nil
	}
	role, ok := store.Roles.Get(r, store.NameKey(profile.Region(), profile.Role))
	if profile.Role == "" || !ok {
		return wire.Errorf(
			"InvalidParameterValue", "IAM Instance Profile \"%s\" has no associated IAM Roles", profile.ARN,
		)
	}
	return a.PassRole(ctx, role, "ec2.amazonaws.com")
}

// setProfile associates an instance with a profile.
func (a *API) setProfile(row *store.Instance, profile *store.InstanceProfile) {
	row.ProfileARN, row.ProfileAssociationID = profile.ARN, a.ids.ID(profileAssociationPrefix)
	row.ProfileAssociatedAt = a.Now()
}

// profileItem describes the profile of an instance, nil if it has none.
func profileItem(r store.Reader, row vm) *types.IamInstanceProfile {
	if row.ProfileARN == "" {
		return nil
	}
	return &types.IamInstanceProfile{
		Arn: aws.String(row.ProfileARN), Id: optionalString(profileID(r, row.ProfileARN)),
	}
}

// profileName returns the name at the end of an instance profile's ARN.
func profileName(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

// profileID returns the id of an instance profile, or "" if it does not exist any more.
func profileID(r store.Reader, arn string) string {
	key := store.NameKey(identity.RegionOfARN(arn), profileName(arn))
	if row, ok := store.InstanceProfiles.Get(r, key); ok && row.ARN == arn {
		return row.ID
	}
	return ""
}

func profileARN(_ store.Reader, row vm) string { return row.ProfileARN }

func profileIDOf(r store.Reader, row vm) string { return profileID(r, row.ProfileARN) }

func profileNameOf(_ store.Reader, row vm) string { return profileName(row.ProfileARN) }

// byProfile returns a filter by a property of an instance's profile.
func byProfile(text func(store.Reader, vm) string) func(store.Reader, vm) []string {
	return func(r store.Reader, row vm) []string {
		if row.ProfileARN == "" {
			return nil
		}
		return []string{text(r, row)}
	}
}
