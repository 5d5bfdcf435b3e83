package cloudwatchlogs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/api/page"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/policydocument"
	"aloft.dev/aloft/internal/cloud/resourcepolicy"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of policies (CloudWatch Logs API Reference, PutResourcePolicy).
const (
	maxPolicies       = 10 // of a region
	maxPolicyDocument = 5120
)

// PutResourcePolicy lets services of AWS write log events. Only services are named in such policies here: what
// users and roles may do is up to their own policies.
func (a *API) PutResourcePolicy(
	ctx context.Context, in *cloudwatchlogs.PutResourcePolicyInput,
) (*cloudwatchlogs.PutResourcePolicyOutput, error) {
	switch {
	case in.ResourceArn != nil:
		return nil, wire.NotImplemented("the parameter ResourceArn of CloudWatch Logs: policies of one resource")
	case in.ExpectedRevisionId != nil:
		return nil, wire.NotImplemented("the parameter ExpectedRevisionId of CloudWatch Logs")
	case aws.ToString(in.PolicyName) == "":
		return nil, model.Null("policyName")
	case aws.ToString(in.PolicyDocument) == "":
		return nil, model.Null("policyDocument")
	case len(*in.PolicyDocument) > maxPolicyDocument:
		return nil, model.TooLong("policyDocument", maxPolicyDocument)
	}
	if err := checkPolicy(*in.PolicyDocument); err != nil {
		return nil, err
	}
	row := &store.LogPolicy{
		Name: *in.PolicyName, Region: wire.RegionFrom(ctx), Document: policydocument.Canonical(*in.PolicyDocument),
		Updated: a.Now(),
	}
	described := describePolicy(row)
	return &cloudwatchlogs.PutResourcePolicyOutput{ResourcePolicy: &described}, a.change(
		ctx, func(tx *store.Tx, region identity.Region) error {
			_, exists := store.LogPolicies.Get(tx, region.Key(row.Name))
			if !exists && len(store.LogPolicies.InRegion(tx, region)) >= maxPolicies {
				return wire.Errorf("LimitExceededException", "Resource limit exceeded.")
			}
			store.LogPolicies.Put(tx, row)
			return nil
		})
}

func checkPolicy(text string) error {
	document, err := policydocument.Parse(policydocument.Service, text)
	if err != nil {
		return model.Errorf("%v", err)
	}
	for _, s := range document.Statements {
		for kind := range s.Principals {
			if kind != "Service" {
				return wire.NotImplemented("policies of CloudWatch Logs for principals of type %s", kind)
			}
		}
	}
	return resourcepolicy.Check(document)
}

func describePolicy(row *store.LogPolicy) types.ResourcePolicy {
	return types.ResourcePolicy{
		PolicyName: &row.Name, PolicyDocument: &row.Document, LastUpdatedTime: milliseconds(row.Updated),
		PolicyScope: types.PolicyScopeAccount,
	}
}

// DeleteResourcePolicy deletes a policy.
func (a *API) DeleteResourcePolicy(
	ctx context.Context, in *cloudwatchlogs.DeleteResourcePolicyInput,
) (*cloudwatchlogs.DeleteResourcePolicyOutput, error) {
	switch {
	case in.ResourceArn != nil:
		return nil, wire.NotImplemented("the parameter ResourceArn of CloudWatch Logs: policies of one resource")
	case in.ExpectedRevisionId != nil:
		return nil, wire.NotImplemented("the parameter ExpectedRevisionId of CloudWatch Logs")
	case aws.ToString(in.PolicyName) == "":
		return nil, model.Null("policyName")
	}
	return &cloudwatchlogs.DeleteResourcePolicyOutput{}, a.change(
		ctx, func(tx *store.Tx, region identity.Region) error {
			key := region.Key(*in.PolicyName)
			if _, ok := store.LogPolicies.Get(tx, key); !ok {
				return wire.Errorf("ResourceNotFoundException", "Policy with name [%s] does not exist.", *in.PolicyName)
			}
			store.LogPolicies.Delete(tx, key)
			return nil
		})
}

const policyTokens page.Prefix = "log-policies-after:"

// DescribeResourcePolicies lists the policies of the region by name.
func (a *API) DescribeResourcePolicies(
	ctx context.Context, in *cloudwatchlogs.DescribeResourcePoliciesInput,
) (*cloudwatchlogs.DescribeResourcePoliciesOutput, error) {
	if in.ResourceArn != nil || in.PolicyScope == types.PolicyScopeResource {
		return nil, wire.NotImplemented("policies of one resource of CloudWatch Logs")
	}
	last, ok := policyTokens.Last(in.NextToken)
	if !ok {
		return nil, invalidToken()
	}
	if err := model.Between("limit", in.Limit, 1, maxDescribed); err != nil {
		return nil, err
	}
	name := func(row *store.LogPolicy) string { return row.Name }
	found := store.LogPolicies.InRegion(a.Store.Read(ctx), wire.RegionFrom(ctx))
	size := int(constraint.Default(in.Limit, maxDescribed))
	found, next := page.First(policyTokens, page.After(found, last, name), size, name)
	out := &cloudwatchlogs.DescribeResourcePoliciesOutput{ResourcePolicies: []types.ResourcePolicy{}, NextToken: next}
	for _, row := range found {
		out.ResourcePolicies = append(out.ResourcePolicies, describePolicy(row))
	}
	return out, nil
}
