package iam

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/managedpolicy"
	"aloft.dev/aloft/internal/cloud/policydocument"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// CreatePolicy creates a managed policy with its first version.
func (a *API) CreatePolicy(ctx context.Context, in *iam.CreatePolicyInput) (*iam.CreatePolicyOutput, error) {
	row, err := a.newPolicy(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := a.Store.Update(func(tx *store.Tx) error {
		if slices.ContainsFunc(store.Policies.InRegion(tx, wire.GlobalFrom(ctx)), func(other *store.Policy) bool {
			return strings.EqualFold(other.Name, row.Name)
		}) {
			return entityExists("A policy called %s already exists. Duplicate names are not allowed.", row.Name)
		}
		store.Policies.Put(tx, row)
		return nil
	}); err != nil {
		return nil, err
	}
	out := describePolicy(ownPolicy(row), usage{})
	out.Tags = tagItems(row.Tags)
	return &iam.CreatePolicyOutput{Policy: &out}, nil
}

// newPolicy returns the policy that a request describes.
func (a *API) newPolicy(ctx context.Context, in *iam.CreatePolicyInput) (*store.Policy, error) {
	if err := checkName("policyName", in.PolicyName, maxName); err != nil {
		return nil, err
	}
	path, err := pathOf(in.Path)
	if err != nil {
		return nil, err
	}
	if err := checkDescription(in.Description, nil); err != nil {
		return nil, err
	}
	tags, err := sensitive.merge(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	if err := checkManagedDocument(in.PolicyDocument); err != nil {
		return nil, err
	}
	now := a.now()
	return &store.Policy{
		Name: *in.PolicyName, Path: path, ID: a.ids.UniqueID("ANPA"), ARN: arn(ctx, "policy", path, *in.PolicyName),
		Description: aws.ToString(in.Description), Created: now, Updated: now, Tags: tags,
		Versions:       []store.PolicyVersion{{ID: "v1", Document: *in.PolicyDocument, Created: now}},
		DefaultVersion: "v1", LastVersion: 1,
	}, nil
}

// checkManagedDocument refuses a document that a managed policy cannot have.
func checkManagedDocument(document *string) error {
	doc, err := parse(policydocument.Identity, "policyDocument", document)
	switch {
	case err != nil:
		return err
	case doc.Version != policydocument.CurrentVersion:
		return malformed("Policy document must be version " + policydocument.CurrentVersion + " or greater.")
	case sizeOf(*document) > maxManaged:
		return quotaExceeded("PolicySize", maxManaged)
	}
	return nil
}

// minARN is the shortest ARN that requests may have.
const minARN = 20

var policyARNForm = regexp.MustCompile(`^arn:aws:iam::(\d{12}|aws):policy/[\x21-\x7e]+$`)

// checkPolicyARN refuses a text that is no ARN of a policy.
func checkPolicyARN(arn *string) error {
	switch {
	case arn == nil:
		return model.Null("policyArn")
	case len(*arn) < minARN:
		return model.TooShort("policyArn", minARN)
	case !policyARNForm.MatchString(*arn):
		return model.Errorf("Invalid ARN:  Could not be parsed!")
	}
	return nil
}

// findPolicy returns the policy of the account or of AWS that a request names.
func findPolicy(ctx context.Context, r store.Reader, arn *string) (policy, error) {
	if err := checkPolicyARN(arn); err != nil {
		return policy{}, err
	}
	if managed, ok := managedpolicy.Find(*arn); ok {
		return managedPolicy(&managed), nil
	}
	row, ok := store.Policies.Get(r, *arn)
	switch {
	case !ok:
		return policy{}, policyNotFound(*arn)
	case row.Region() != wire.GlobalFrom(ctx):
		return policy{}, notOwn()
	}
	return ownPolicy(row), nil
}

// editPolicy changes a copy of the policy that a request names and stores it. change
// must replace slices and maps. AWS's policies cannot be changed.
func (a *API) editPolicy(ctx context.Context, arn *string, change func(tx *store.Tx, row *store.Policy) error) error {
	return a.Store.Update(func(tx *store.Tx) error {
		found, err := findPolicy(ctx, tx, arn)
		switch {
		case err != nil:
			return err
		case found.managed:
			return notOwn()
		}
		row := *found.Policy
		if err := change(tx, &row); err != nil {
			return err
		}
		store.Policies.Put(tx, &row)
		return nil
	})
}

func notOwn() error {
	return withStatus(http.StatusForbidden, "AccessDenied", "Policy is outside your own account.")
}

// policy is a policy of the account or of AWS.
type policy struct {
	*store.Policy
	managed bool // by AWS
}

func ownPolicy(row *store.Policy) policy { return policy{Policy: row} }

func managedPolicy(p *managedpolicy.Policy) policy {
	return policy{managed: true, Policy: &store.Policy{
		Name: p.Name, Path: "/" + p.Path, ID: p.ID, ARN: p.ARN(), Description: p.Description,
		Versions:       []store.PolicyVersion{{ID: p.Version, Document: p.Document(), Created: p.Updated}},
		DefaultVersion: p.Version, Created: p.Created, Updated: p.Updated,
	}}
}

// usage counts the users, groups and roles that use a policy.
type usage struct{ attached, boundary int32 }

func (u usage) of(kind types.PolicyUsageType) int32 {
	switch kind {
	case types.PolicyUsageTypePermissionsPolicy:
		return u.attached
	case types.PolicyUsageTypePermissionsBoundary:
		return u.boundary
	}
	return u.attached + u.boundary
}

// usages returns the usage of all policies by their ARNs.
func usages(ctx context.Context, r store.Reader) map[string]usage {
	all := map[string]usage{}
	for _, e := range entitiesIn(ctx, r) {
		for _, arn := range e.Attached {
			u := all[arn]
			u.attached++
			all[arn] = u
		}
		if e.Boundary != "" {
			u := all[e.Boundary]
			u.boundary++
			all[e.Boundary] = u
		}
	}
	return all
}

// describePolicy returns a policy as lists show it: with neither its description nor its
// tags (IAM API Reference, Policy and ListPolicies).
func describePolicy(p policy, used usage) types.Policy {
	return types.Policy{
		PolicyName: &p.Name, Path: &p.Path, PolicyId: &p.ID, Arn: &p.ARN, CreateDate: &p.Created,
		UpdateDate: &p.Updated, DefaultVersionId: &p.DefaultVersion, IsAttachable: true,
		AttachmentCount: &used.attached, PermissionsBoundaryUsageCount: &used.boundary,
	}
}

// GetPolicy returns a managed policy.
func (a *API) GetPolicy(ctx context.Context, in *iam.GetPolicyInput) (*iam.GetPolicyOutput, error) {
	view := a.Store.Read(ctx)
	found, err := findPolicy(ctx, view, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	out := describePolicy(found, usages(ctx, view)[found.ARN])
	out.Tags = append([]types.Tag{}, tagItems(found.Tags)...)
	if found.Description != "" {
		out.Description = &found.Description
	}
	return &iam.GetPolicyOutput{Policy: &out}, nil
}

// DeletePolicy deletes a policy that nobody uses and that has one version only.
func (a *API) DeletePolicy(ctx context.Context, in *iam.DeletePolicyInput) (*iam.DeletePolicyOutput, error) {
	return &iam.DeletePolicyOutput{}, a.Store.Update(func(tx *store.Tx) error {
		found, err := findPolicy(ctx, tx, in.PolicyArn)
		switch {
		case err != nil:
			return err
		case found.managed:
			return notOwn()
		case usages(ctx, tx)[found.ARN] != usage{}:
			return deleteConflict("Cannot delete a policy attached to entities.")
		case len(found.Versions) > 1:
			return deleteConflict("This policy has more than one version. Before you delete a policy, you must " +
				"delete the policy's versions. The default version is deleted with the policy.")
		}
		store.Policies.Delete(tx, found.ARN)
		return nil
	})
}
