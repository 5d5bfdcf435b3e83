package iam

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of OpenID Connect providers (IAM API Reference, CreateOpenIDConnectProvider; IAM User
// Guide, "IAM and AWS STS quotas").
const (
	maxProviders   = 100 // of an account
	maxClientIDs   = 100 // of a provider
	maxThumbprints = 5   // of a provider
	maxClientID    = 255
	maxProviderURL = 255
	thumbprintSize = 40
)

// CreateOpenIDConnectProvider creates an OpenID Connect identity provider, which trust policies can
// name. The local cloud does not ask the provider for anything: without thumbprints it has none.
func (a *API) CreateOpenIDConnectProvider(
	ctx context.Context, in *iam.CreateOpenIDConnectProviderInput,
) (*iam.CreateOpenIDConnectProviderOutput, error) {
	address, err := checkProvider(in)
	if err != nil {
		return nil, err
	}
	tags, err := sensitive.merge(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	row := &store.OpenIDProvider{
		ARN: arn(ctx, "oidc-provider", "/", address), URL: address, ClientIDs: in.ClientIDList,
		Thumbprints: in.ThumbprintList, Created: a.now(), Tags: tags,
	}
	if err := a.Store.Update(func(tx *store.Tx) error {
		if _, taken := store.OpenIDProviders.Get(tx, row.ARN); taken {
			return entityExists("Provider with url %s already exists.", *in.Url)
		}
		if len(store.OpenIDProviders.InRegion(tx, row.Region())) >= maxProviders {
			return quotaExceeded("OpenIdConnectProvidersPerAccount", maxProviders)
		}
		store.OpenIDProviders.Put(tx, row)
		return nil
	}); err != nil {
		return nil, err
	}
	return &iam.CreateOpenIDConnectProviderOutput{OpenIDConnectProviderArn: &row.ARN, Tags: tagItems(tags)}, nil
}

// checkProvider refuses a malformed request, and returns the provider's URL without its scheme.
func checkProvider(in *iam.CreateOpenIDConnectProviderInput) (string, error) {
	if in.Url == nil {
		return "", model.Null("url")
	}
	var wrong violations
	if slices.ContainsFunc(in.ClientIDList, func(id string) bool { return id == "" || len(id) > maxClientID }) {
		wrong.add("clientIDList", "satisfy constraint: [Member must have length less than or equal to %d, "+
			"Member must have length greater than or equal to 1]", maxClientID)
	}
	wrong.addThumbprints(in.ThumbprintList)
	switch {
	case *in.Url == "":
		wrong.add("url", "have length greater than or equal to 1")
	case len(*in.Url) > maxProviderURL:
		wrong.add("url", "have length less than or equal to %d", maxProviderURL)
	}
	if err := wrong.err(); err != nil {
		return "", err
	}
	address, secure := strings.CutPrefix(*in.Url, "https://")
	parsed, err := url.Parse(*in.Url)
	if err != nil || !secure || parsed.Host == "" || parsed.RawQuery != "" || parsed.Fragment != "" ||
		parsed.User != nil {
		return "", model.Errorf("Invalid Open ID Connect Provider URL")
	}
	if err := checkThumbprintCount(in.ThumbprintList); err != nil {
		return "", err
	}
	if len(in.ClientIDList) > maxClientIDs {
		return "", quotaExceeded("ClientIdsPerOpenIdConnectProvider", maxClientIDs)
	}
	return address, nil
}

// addThumbprints adds the violations in a list of thumbprints.
func (v *violations) addThumbprints(list []string) {
	if slices.ContainsFunc(list, func(text string) bool { return len(text) != thumbprintSize }) {
		v.add("thumbprintList", "satisfy constraint: [Member must have length less than or equal to %[1]d, "+
			"Member must have length greater than or equal to %[1]d]", thumbprintSize)
	}
}

func checkThumbprintCount(list []string) error {
	if len(list) > maxThumbprints {
		return invalidInput("Thumbprint list must contain fewer than %d entries.", maxThumbprints)
	}
	return nil
}

var providerARNForm = regexp.MustCompile(`^arn:aws:iam::\d{12}:oidc-provider/[\x21-\x7e]+$`)

// findProvider returns the provider that a request names.
func findProvider(ctx context.Context, r store.Reader, arn *string) (*store.OpenIDProvider, error) {
	switch {
	case arn == nil:
		return nil, model.Null("openIDConnectProviderArn")
	case len(*arn) < minARN:
		return nil, model.TooShort("openIDConnectProviderArn", minARN)
	case !providerARNForm.MatchString(*arn):
		return nil, invalidInput("Invalid ARN: %s", *arn)
	}
	row, ok := store.OpenIDProviders.Get(r, *arn)
	if !ok || row.Region() != wire.GlobalFrom(ctx) {
		return nil, noSuchEntity("OpenIDConnect Provider not found for arn %s", *arn)
	}
	return row, nil
}

// editProvider changes a copy of the provider that a request names and stores it. change must
// replace slices and maps.
func (a *API) editProvider(
	ctx context.Context, arn *string, change func(row *store.OpenIDProvider) error,
) error {
	return a.Store.Update(func(tx *store.Tx) error {
		old, err := findProvider(ctx, tx, arn)
		if err != nil {
			return err
		}
		row := *old
		if err := change(&row); err != nil {
			return err
		}
		store.OpenIDProviders.Put(tx, &row)
		return nil
	})
}

// GetOpenIDConnectProvider returns a provider.
func (a *API) GetOpenIDConnectProvider(
	ctx context.Context, in *iam.GetOpenIDConnectProviderInput,
) (*iam.GetOpenIDConnectProviderOutput, error) {
	row, err := findProvider(ctx, a.Store.Read(ctx), in.OpenIDConnectProviderArn)
	if err != nil {
		return nil, err
	}
	return &iam.GetOpenIDConnectProviderOutput{
		Url: &row.URL, ClientIDList: append([]string{}, row.ClientIDs...),
		ThumbprintList: append([]string{}, row.Thumbprints...), CreateDate: &row.Created,
		Tags: append([]types.Tag{}, tagItems(row.Tags)...),
	}, nil
}

// ListOpenIDConnectProviders lists the OpenID Connect identity providers.
func (a *API) ListOpenIDConnectProviders(
	ctx context.Context, _ *iam.ListOpenIDConnectProvidersInput,
) (*iam.ListOpenIDConnectProvidersOutput, error) {
	rows := store.OpenIDProviders.InRegion(a.Store.Read(ctx), wire.GlobalFrom(ctx))
	return &iam.ListOpenIDConnectProvidersOutput{
		OpenIDConnectProviderList: convert(rows, func(row *store.OpenIDProvider) types.OpenIDConnectProviderListEntry {
			return types.OpenIDConnectProviderListEntry{Arn: &row.ARN}
		}),
	}, nil
}

// UpdateOpenIDConnectProviderThumbprint replaces the thumbprints of a provider.
func (a *API) UpdateOpenIDConnectProviderThumbprint(
	ctx context.Context, in *iam.UpdateOpenIDConnectProviderThumbprintInput,
) (*iam.UpdateOpenIDConnectProviderThumbprintOutput, error) {
	if in.ThumbprintList == nil {
		return nil, model.Null("thumbprintList")
	}
	var wrong violations
	wrong.addThumbprints(in.ThumbprintList)
	if err := wrong.err(); err != nil {
		return nil, err
	}
	if err := checkThumbprintCount(in.ThumbprintList); err != nil {
		return nil, err
	}
	out := &iam.UpdateOpenIDConnectProviderThumbprintOutput{}
	return out, a.editProvider(ctx, in.OpenIDConnectProviderArn, func(row *store.OpenIDProvider) error {
		row.Thumbprints = in.ThumbprintList
		return nil
	})
}

// checkClientID refuses a client id that no provider can have.
func checkClientID(id *string) error {
	switch {
	case id == nil:
		return model.Null("clientID")
	case *id == "":
		return model.TooShort("clientID", 1)
	case len(*id) > maxClientID:
		return model.TooLong("clientID", maxClientID)
	}
	return nil
}

// AddClientIDToOpenIDConnectProvider adds a client id to a provider, unless it has it.
func (a *API) AddClientIDToOpenIDConnectProvider(
	ctx context.Context, in *iam.AddClientIDToOpenIDConnectProviderInput,
) (*iam.AddClientIDToOpenIDConnectProviderOutput, error) {
	if err := checkClientID(in.ClientID); err != nil {
		return nil, err
	}
	out := &iam.AddClientIDToOpenIDConnectProviderOutput{}
	return out, a.editProvider(ctx, in.OpenIDConnectProviderArn, func(row *store.OpenIDProvider) error {
		switch {
		case slices.Contains(row.ClientIDs, *in.ClientID):
			return nil
		case len(row.ClientIDs) >= maxClientIDs:
			return quotaExceeded("ClientIdsPerOpenIdConnectProvider", maxClientIDs)
		}
		row.ClientIDs = append(slices.Clone(row.ClientIDs), *in.ClientID)
		return nil
	})
}

// RemoveClientIDFromOpenIDConnectProvider removes a client id from a provider, if it has it.
func (a *API) RemoveClientIDFromOpenIDConnectProvider(
	ctx context.Context, in *iam.RemoveClientIDFromOpenIDConnectProviderInput,
) (*iam.RemoveClientIDFromOpenIDConnectProviderOutput, error) {
	if err := checkClientID(in.ClientID); err != nil {
		return nil, err
	}
	out := &iam.RemoveClientIDFromOpenIDConnectProviderOutput{}
	return out, a.editProvider(ctx, in.OpenIDConnectProviderArn, func(row *store.OpenIDProvider) error {
		row.ClientIDs = slices.DeleteFunc(slices.Clone(row.ClientIDs), func(id string) bool {
			return id == *in.ClientID
		})
		return nil
	})
}

// DeleteOpenIDConnectProvider deletes a provider. Roles that trust it stay.
func (a *API) DeleteOpenIDConnectProvider(
	ctx context.Context, in *iam.DeleteOpenIDConnectProviderInput,
) (*iam.DeleteOpenIDConnectProviderOutput, error) {
	return &iam.DeleteOpenIDConnectProviderOutput{}, a.Store.Update(func(tx *store.Tx) error {
		row, err := findProvider(ctx, tx, in.OpenIDConnectProviderArn)
		if isNoSuchEntity(err) {
			return noSuchEntity("OpenId connect Provider %s cannot be found.", *in.OpenIDConnectProviderArn)
		}
		if err != nil {
			return err
		}
		store.OpenIDProviders.Delete(tx, row.ARN)
		return nil
	})
}

// TagOpenIDConnectProvider adds tags to a provider. A tag replaces one with the same key.
func (a *API) TagOpenIDConnectProvider(
	ctx context.Context, in *iam.TagOpenIDConnectProviderInput,
) (*iam.TagOpenIDConnectProviderOutput, error) {
	if in.Tags == nil {
		return nil, model.Null("tags")
	}
	out := &iam.TagOpenIDConnectProviderOutput{}
	return out, a.editProvider(ctx, in.OpenIDConnectProviderArn, func(row *store.OpenIDProvider) (err error) {
		row.Tags, err = sensitive.merge(row.Tags, in.Tags)
		return err
	})
}

// UntagOpenIDConnectProvider removes the tags with the keys from a provider.
func (a *API) UntagOpenIDConnectProvider(
	ctx context.Context, in *iam.UntagOpenIDConnectProviderInput,
) (*iam.UntagOpenIDConnectProviderOutput, error) {
	if err := checkTagKeys(in.TagKeys); err != nil {
		return nil, err
	}
	out := &iam.UntagOpenIDConnectProviderOutput{}
	return out, a.editProvider(ctx, in.OpenIDConnectProviderArn, func(row *store.OpenIDProvider) error {
		row.Tags = sensitive.without(row.Tags, in.TagKeys...)
		return nil
	})
}

// ListOpenIDConnectProviderTags lists the tags of a provider.
func (a *API) ListOpenIDConnectProviderTags(
	ctx context.Context, in *iam.ListOpenIDConnectProviderTagsInput,
) (*iam.ListOpenIDConnectProviderTagsOutput, error) {
	row, err := findProvider(ctx, a.Store.Read(ctx), in.OpenIDConnectProviderArn)
	if err != nil {
		return nil, err
	}
	page, err := tagPage(row.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListOpenIDConnectProviderTagsOutput{
		Tags: page.items, IsTruncated: page.more, Marker: page.marker,
	}, nil
}
