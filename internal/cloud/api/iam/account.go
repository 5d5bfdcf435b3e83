package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/wire"
)

// ListAccountAliases lists the account's aliases. It has none.
func (a *API) ListAccountAliases(
	_ context.Context, in *iam.ListAccountAliasesInput,
) (*iam.ListAccountAliasesOutput, error) {
	page, err := paginate([]string{}, itself, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListAccountAliasesOutput{AccountAliases: page.items}, nil
}

// ListOpenIDConnectProviders lists the providers of identities by OpenID Connect. There are
// none.
func (a *API) ListOpenIDConnectProviders(
	context.Context, *iam.ListOpenIDConnectProvidersInput,
) (*iam.ListOpenIDConnectProvidersOutput, error) {
	return &iam.ListOpenIDConnectProvidersOutput{
		OpenIDConnectProviderList: []types.OpenIDConnectProviderListEntry{},
	}, nil
}

// ListSAMLProviders lists the providers of identities by SAML. There are none.
func (a *API) ListSAMLProviders(
	context.Context, *iam.ListSAMLProvidersInput,
) (*iam.ListSAMLProvidersOutput, error) {
	return &iam.ListSAMLProvidersOutput{SAMLProviderList: []types.SAMLProviderListEntry{}}, nil
}

// GetAccountPasswordPolicy returns the rules for users' passwords. The account has none.
func (a *API) GetAccountPasswordPolicy(
	ctx context.Context, _ *iam.GetAccountPasswordPolicyInput,
) (*iam.GetAccountPasswordPolicyOutput, error) {
	return nil, noSuchEntity("The Password Policy with domain name %s cannot be found.", wire.AccountFrom(ctx))
}
