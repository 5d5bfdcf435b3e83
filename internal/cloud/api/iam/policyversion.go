package iam

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// maxVersions is how many versions a managed policy may have.
const maxVersions = 5

// CreatePolicyVersion adds a version to a policy.
func (a *API) CreatePolicyVersion(
	ctx context.Context, in *iam.CreatePolicyVersionInput,
) (*iam.CreatePolicyVersionOutput, error) {
	if err := checkPolicyARN(in.PolicyArn); err != nil {
		return nil, err
	}
	if err := checkManagedDocument(in.PolicyDocument); err != nil {
		return nil, err
	}
	var out types.PolicyVersion
	err := a.editPolicy(ctx, in.PolicyArn, func(_ *store.Tx, row *store.Policy) error {
		if len(row.Versions) >= maxVersions {
			return limitExceeded("A managed policy can have up to %d versions. Before you create a new version, you "+
				"must delete an existing version.", maxVersions)
		}
		row.LastVersion, row.Updated = row.LastVersion+1, a.now()
		version := store.PolicyVersion{
			ID: "v" + strconv.Itoa(row.LastVersion), Document: *in.PolicyDocument, Created: row.Updated,
		}
		row.Versions = append(slices.Clone(row.Versions), version)
		if in.SetAsDefault {
			row.DefaultVersion = version.ID
		}
		out = describeVersion(row, version)
		return nil
	})
	return &iam.CreatePolicyVersionOutput{PolicyVersion: &out}, err
}

// describeVersion returns a version as lists show it: without its document.
func describeVersion(row *store.Policy, v store.PolicyVersion) types.PolicyVersion {
	return types.PolicyVersion{
		VersionId: &v.ID, CreateDate: &v.Created, IsDefaultVersion: v.ID == row.DefaultVersion,
	}
}

var versionForm = regexp.MustCompile(`^v[1-9][0-9]*(\.[A-Za-z0-9-]*)?$`)

func checkVersion(id *string) error {
	switch {
	case id == nil:
		return model.Null("versionId")
	case !versionForm.MatchString(*id):
		return model.Pattern("versionId", `v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`)
	}
	return nil
}

func versionNotFound(arn, id string) error {
	return noSuchEntity("Policy %s version %s does not exist or is not attachable.", arn, id)
}

// noVersion returns the error of an operation on a version. That for a policy that does not exist is
// about the version.
func noVersion(err error, arn *string, id string) error {
	if isNoSuchEntity(err) {
		return versionNotFound(*arn, id)
	}
	return err
}

// GetPolicyVersion returns a version of a policy with its document.
func (a *API) GetPolicyVersion(
	ctx context.Context, in *iam.GetPolicyVersionInput,
) (*iam.GetPolicyVersionOutput, error) {
	if err := checkVersion(in.VersionId); err != nil {
		return nil, err
	}
	found, err := findPolicy(ctx, a.Store.Read(ctx), in.PolicyArn)
	if err != nil {
		return nil, noVersion(err, in.PolicyArn, *in.VersionId)
	}
	version, ok := found.Version(*in.VersionId)
	if !ok {
		return nil, versionNotFound(found.ARN, *in.VersionId)
	}
	out := describeVersion(found.Policy, version)
	out.Document = encoded(version.Document)
	return &iam.GetPolicyVersionOutput{PolicyVersion: &out}, nil
}

// ListPolicyVersions lists the versions of a policy, the newest first.
func (a *API) ListPolicyVersions(
	ctx context.Context, in *iam.ListPolicyVersionsInput,
) (*iam.ListPolicyVersionsOutput, error) {
	found, err := findPolicy(ctx, a.Store.Read(ctx), in.PolicyArn)
	if err != nil {
		return nil, err
	}
	page, err := paginate(slices.Clone(found.Versions), newestFirst, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	describe := func(v store.PolicyVersion) types.PolicyVersion { return describeVersion(found.Policy, v) }
	return &iam.ListPolicyVersionsOutput{
		Versions: convert(page.items, describe), IsTruncated: page.more, Marker: page.marker,
	}, nil
}

// newestFirst returns a key that is less for a newer version.
func newestFirst(v store.PolicyVersion) string {
	number, _ := strconv.Atoi(strings.TrimPrefix(v.ID, "v"))
	return fmt.Sprintf("%010d", 1_000_000_000-number)
}

// SetDefaultPolicyVersion makes a version of a policy the one that has an effect.
func (a *API) SetDefaultPolicyVersion(
	ctx context.Context, in *iam.SetDefaultPolicyVersionInput,
) (*iam.SetDefaultPolicyVersionOutput, error) {
	if err := checkVersion(in.VersionId); err != nil {
		return nil, err
	}
	err := a.editPolicy(ctx, in.PolicyArn, func(_ *store.Tx, row *store.Policy) error {
		if _, ok := row.Version(*in.VersionId); !ok {
			return versionNotFound(row.ARN, *in.VersionId)
		}
		row.DefaultVersion, row.Updated = *in.VersionId, a.now()
		return nil
	})
	return &iam.SetDefaultPolicyVersionOutput{}, noVersion(err, in.PolicyArn, *in.VersionId)
}

// DeletePolicyVersion deletes a version of a policy that is not its default.
func (a *API) DeletePolicyVersion(
	ctx context.Context, in *iam.DeletePolicyVersionInput,
) (*iam.DeletePolicyVersionOutput, error) {
	if err := checkVersion(in.VersionId); err != nil {
		return nil, err
	}
	err := a.editPolicy(ctx, in.PolicyArn, func(_ *store.Tx, row *store.Policy) error {
		if _, ok := row.Version(*in.VersionId); !ok {
			return versionNotFound(row.ARN, *in.VersionId)
		}
		if row.DefaultVersion == *in.VersionId {
			return deleteConflict("Cannot delete the default version of a policy.")
		}
		row.Versions = slices.DeleteFunc(slices.Clone(row.Versions), func(v store.PolicyVersion) bool {
			return v.ID == *in.VersionId
		})
		return nil
	})
	return &iam.DeletePolicyVersionOutput{}, noVersion(err, in.PolicyArn, *in.VersionId)
}
