package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/managedpolicy"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxAttached is how many managed policies a role may have.
const maxAttached = 10

// AttachRolePolicy attaches a managed policy to a role. It succeeds if the role has the
// policy already.
func (a *API) AttachRolePolicy(
	ctx context.Context, in *iam.AttachRolePolicyInput,
) (*iam.AttachRolePolicyOutput, error) {
	if err := checkPolicyARN(in.PolicyArn); err != nil {
		return nil, err
	}
	return &iam.AttachRolePolicyOutput{}, a.editRole(ctx, in.RoleName, func(tx *store.Tx, row *store.Role) error {
		if !policyExists(ctx, tx, *in.PolicyArn) {
			return notAttachable("Policy "+*in.PolicyArn, *in.PolicyArn)
		}
		if slices.Contains(row.Attached, *in.PolicyArn) {
			return nil
		}
		if len(row.Attached) >= maxAttached {
			return quotaExceeded("PoliciesPerRole", maxAttached)
		}
		row.Attached = append(slices.Clone(row.Attached), *in.PolicyArn)
		return nil
	})
}

// policyExists reports whether the account or AWS has a policy.
func policyExists(ctx context.Context, r store.Reader, arn string) bool {
	if !strings.HasPrefix(arn, managedpolicy.Prefix) && identity.RegionOfARN(arn) != wire.GlobalFrom(ctx) {
		return false
	}
	_, ok := managedpolicy.Document(r, arn)
	return ok
}

// notAttachable returns the error for a policy that a role cannot have because it does
// not exist. subject is how the operation calls it.
func notAttachable(subject, arn string) error {
	if strings.HasPrefix(arn, managedpolicy.Prefix) {
		return noSuchEntity("%s does not exist or is not attachable. Of the policies that AWS manages, aloft's "+
			"local cloud has only these: %s", subject, strings.Join(managedNames(), ", "))
	}
	return noSuchEntity("%s does not exist or is not attachable.", subject)
}

func managedNames() []string {
	return convert(managedpolicy.All(), func(p managedpolicy.Policy) string { return p.Name })
}

// DetachRolePolicy detaches a managed policy from a role.
func (a *API) DetachRolePolicy(
	ctx context.Context, in *iam.DetachRolePolicyInput,
) (*iam.DetachRolePolicyOutput, error) {
	if err := checkPolicyARN(in.PolicyArn); err != nil {
		return nil, err
	}
	return &iam.DetachRolePolicyOutput{}, a.editRole(ctx, in.RoleName, func(_ *store.Tx, row *store.Role) error {
		at := slices.Index(row.Attached, *in.PolicyArn)
		if at < 0 {
			return policyNotFound(*in.PolicyArn)
		}
		row.Attached = slices.Delete(slices.Clone(row.Attached), at, at+1)
		return nil
	})
}

// ListAttachedRolePolicies lists the managed policies of a role.
func (a *API) ListAttachedRolePolicies(
	ctx context.Context, in *iam.ListAttachedRolePoliciesInput,
) (*iam.ListAttachedRolePoliciesOutput, error) {
	prefix, err := prefixOf(in.PathPrefix)
	if err != nil {
		return nil, err
	}
	view := a.Store.Read(ctx)
	row, err := findRole(ctx, view, in.RoleName)
	if err != nil {
		return nil, err
	}
	attached := slices.DeleteFunc(slices.Clone(row.Attached), func(arn string) bool {
		path, _ := splitPolicyARN(arn)
		return !strings.HasPrefix(path, prefix)
	})
	page, err := paginate(attached, itself, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	describe := func(arn string) types.AttachedPolicy {
		_, name := splitPolicyARN(arn)
		return types.AttachedPolicy{PolicyArn: &arn, PolicyName: &name}
	}
	return &iam.ListAttachedRolePoliciesOutput{
		AttachedPolicies: convert(page.items, describe), IsTruncated: page.more, Marker: page.marker,
	}, nil
}

// splitPolicyARN returns the path and the name of a policy in its ARN.
func splitPolicyARN(arn string) (path, name string) {
	_, resource, _ := strings.Cut(arn, ":policy/")
	at := strings.LastIndex(resource, "/") + 1
	return "/" + resource[:at], resource[at:]
}
