package iam

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/wire"
)

const (
	maxUserName = 64
	rootPath    = "/"
)

// userCreated is when the account's only user was created.
var userCreated = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// user describes the only user, whose access key the local cloud makes itself.
func user(ctx context.Context) types.User {
	account := wire.AccountFrom(ctx)
	return types.User{
		UserName: aws.String(identity.UserName), UserId: aws.String(identity.UserID(account)),
		Arn: aws.String(identity.UserARN(account)), Path: aws.String(rootPath), CreateDate: aws.Time(userCreated),
	}
}

// GetUser returns the user with the name or, without a name, the caller.
func (a *API) GetUser(ctx context.Context, in *iam.GetUserInput) (*iam.GetUserOutput, error) {
	only := user(ctx)
	if in.UserName != nil {
		if err := checkName("userName", in.UserName, maxUserName); err != nil {
			return nil, err
		}
		if !strings.EqualFold(*in.UserName, *only.UserName) {
			return nil, noSuchEntity("The user with name %s cannot be found.", *in.UserName)
		}
	}
	return &iam.GetUserOutput{User: &only}, nil
}

// ListUsers lists the users below a path.
func (a *API) ListUsers(ctx context.Context, in *iam.ListUsersInput) (*iam.ListUsersOutput, error) {
	prefix, err := prefixOf(in.PathPrefix)
	if err != nil {
		return nil, err
	}
	users := []types.User{}
	if strings.HasPrefix(rootPath, prefix) {
		users = append(users, user(ctx))
	}
	page, err := paginate(users, func(u types.User) string { return *u.UserName }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListUsersOutput{Users: page.items, IsTruncated: page.more, Marker: page.marker}, nil
}

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

// ListGroups lists the groups of users below a path. There are none.
func (a *API) ListGroups(_ context.Context, in *iam.ListGroupsInput) (*iam.ListGroupsOutput, error) {
	if _, err := prefixOf(in.PathPrefix); err != nil {
		return nil, err
	}
	page, err := paginate([]types.Group{}, func(g types.Group) string { return *g.GroupName }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListGroupsOutput{Groups: page.items}, nil
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
