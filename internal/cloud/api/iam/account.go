package iam

import (
	"context"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// accountIn returns what IAM knows of the caller's account.
func accountIn(ctx context.Context, r store.Reader) store.AccountIdentity {
	if row, ok := store.AccountIdentities.Get(r, wire.AccountFrom(ctx)); ok {
		return *row
	}
	return store.AccountIdentity{Account: wire.GlobalFrom(ctx)}
}

// editAccount changes what IAM knows of the caller's account.
func (a *API) editAccount(ctx context.Context, change func(tx *store.Tx, row *store.AccountIdentity) error) error {
	return a.Store.Update(func(tx *store.Tx) error {
		row := accountIn(ctx, tx)
		if err := change(tx, &row); err != nil {
			return err
		}
		store.AccountIdentities.Put(tx, &row)
		return nil
	})
}

// The form of aliases (IAM API Reference, CreateAccountAlias).
const (
	minAlias     = 3
	maxAlias     = 63
	aliasPattern = `^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$`
)

var aliasForm = regexp.MustCompile(`^[a-z0-9](-?[a-z0-9])*$`)

func checkAlias(alias *string) error {
	switch {
	case alias == nil:
		return model.Null("accountAlias")
	case len(*alias) < minAlias:
		return model.TooShort("accountAlias", minAlias)
	case len(*alias) > maxAlias:
		return model.TooLong("accountAlias", maxAlias)
	case !aliasForm.MatchString(*alias):
		return model.Pattern("accountAlias", aliasPattern)
	}
	return nil
}

// CreateAccountAlias gives the account an alias, which replaces the one that it has.
func (a *API) CreateAccountAlias(
	ctx context.Context, in *iam.CreateAccountAliasInput,
) (*iam.CreateAccountAliasOutput, error) {
	if err := checkAlias(in.AccountAlias); err != nil {
		return nil, err
	}
	out := &iam.CreateAccountAliasOutput{}
	return out, a.editAccount(ctx, func(tx *store.Tx, row *store.AccountIdentity) error {
		for _, other := range store.AccountIdentities.List(tx) {
			if other.Alias == *in.AccountAlias && other.Account != row.Account {
				return entityExists("The account alias %s already exists.", *in.AccountAlias)
			}
		}
		row.Alias = *in.AccountAlias
		return nil
	})
}

// DeleteAccountAlias removes the account's alias.
func (a *API) DeleteAccountAlias(
	ctx context.Context, in *iam.DeleteAccountAliasInput,
) (*iam.DeleteAccountAliasOutput, error) {
	if err := checkAlias(in.AccountAlias); err != nil {
		return nil, err
	}
	out := &iam.DeleteAccountAliasOutput{}
	return out, a.editAccount(ctx, func(_ *store.Tx, row *store.AccountIdentity) error {
		if row.Alias != *in.AccountAlias {
			return noSuchEntity("The account alias with name %s cannot be found.", *in.AccountAlias)
		}
		row.Alias = ""
		return nil
	})
}

// ListAccountAliases lists the account's alias, if it has one.
func (a *API) ListAccountAliases(
	ctx context.Context, in *iam.ListAccountAliasesInput,
) (*iam.ListAccountAliasesOutput, error) {
	aliases := []string{}
	if alias := accountIn(ctx, a.Store.Read(ctx)).Alias; alias != "" {
		aliases = append(aliases, alias)
	}
	page, err := paginate(aliases, itself, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListAccountAliasesOutput{AccountAliases: convert(page.items, itself)}, nil
}

// ListSAMLProviders lists the SAML identity providers. There are none.
func (a *API) ListSAMLProviders(
	context.Context, *iam.ListSAMLProvidersInput,
) (*iam.ListSAMLProvidersOutput, error) {
	return &iam.ListSAMLProvidersOutput{SAMLProviderList: []types.SAMLProviderListEntry{}}, nil
}
