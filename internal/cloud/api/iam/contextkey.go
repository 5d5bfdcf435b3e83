package iam

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"aloft.dev/aloft/internal/cloud/policydocument"
)

// GetContextKeysForCustomPolicy lists the condition keys that policies refer to.
func (a *API) GetContextKeysForCustomPolicy(
	_ context.Context, in *iam.GetContextKeysForCustomPolicyInput,
) (*iam.GetContextKeysForCustomPolicyOutput, error) {
	if in.PolicyInputList == nil {
		return nil, model.Null("policyInputList")
	}
	given, err := inputs(policyInputs, policydocument.Identity, in.PolicyInputList...)
	if err != nil {
		return nil, err
	}
	return &iam.GetContextKeysForCustomPolicyOutput{
		ContextKeyNames: policydocument.ContextKeys(documents(given)...),
	}, nil
}

// GetContextKeysForPrincipalPolicy lists the condition keys that the policies of a user, a group or
// a role refer to, and those of the request.
func (a *API) GetContextKeysForPrincipalPolicy(
	ctx context.Context, in *iam.GetContextKeysForPrincipalPolicyInput,
) (*iam.GetContextKeysForPrincipalPolicyOutput, error) {
	p, err := findPrincipal(ctx, a.Store.Read(ctx), "policySourceArn", in.PolicySourceArn)
	if err != nil {
		return nil, err
	}
	given, err := inputs(policyInputs, policydocument.Identity, in.PolicyInputList...)
	if err != nil {
		return nil, err
	}
	return &iam.GetContextKeysForPrincipalPolicyOutput{
		ContextKeyNames: policydocument.ContextKeys(documents(slices.Concat(p.sources, given))...),
	}, nil
}
