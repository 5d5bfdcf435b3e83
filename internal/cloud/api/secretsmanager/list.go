package secretsmanager

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/api/page"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxResults is both the largest page of a list and the default.
const maxResults = 100

// pageTokens starts the tokens of the API's pages.
const pageTokens page.Prefix = "secrets-after:"

// listing is a request for secrets.
type listing struct {
	filters    []types.Filter
	deleted    bool // include secrets marked for deletion
	by         types.SortByType
	descending bool
	token      *string
	size       int
}

// list returns a page of secrets and the token of the next page.
func (a *API) list(ctx context.Context, l listing) (rows []*store.Secret, next *string, err error) {
	if err := checkFilters(l.filters); err != nil {
		return nil, nil, err
	}
	last, ok := pageTokens.Last(l.token)
	if !ok {
		return nil, nil, invalidToken()
	}
	for _, row := range store.Secrets.InRegion(a.Store.Read(ctx), wire.RegionFrom(ctx)) {
		if !a.isGone(row) && (l.deleted || row.Deleted.IsZero()) && matchesFilters(row, l.filters) {
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(x, y *store.Secret) int { return l.compare(l.key(x), l.key(y)) })
	if last != "" {
		rows = slices.DeleteFunc(rows, func(row *store.Secret) bool { return l.compare(l.key(row), last) <= 0 })
	}
	rows, next = page.First(pageTokens, rows, l.size, l.key)
	return rows, next, nil
}

// compare compares two keys in the order of the list.
func (l listing) compare(x, y string) int {
	if l.descending {
		return strings.Compare(y, x)
	}
	return strings.Compare(x, y)
}

// key returns a secret's place in the order of the list.
func (l listing) key(row *store.Secret) string {
	at := row.Created
	switch l.by {
	case types.SortByTypeName:
		return row.Name
	case types.SortByTypeLastAccessedDate:
		at = row.Accessed
	case types.SortByTypeLastChangedDate:
		at = row.Changed
	case types.SortByTypeCreatedDate:
	}
	return sortable(at) + " " + row.Name
}

// sortable returns a time as text whose order is that of time.
func sortable(t time.Time) string { return t.UTC().Format("20060102150405.000000000") }

func invalidToken() error {
	return wire.Errorf("InvalidNextTokenException", "The NextToken value is invalid.")
}

// ListSecrets lists the secrets that match all filters, by default in the order of their
// creation and without those marked for deletion.
func (a *API) ListSecrets(
	ctx context.Context, in *secretsmanager.ListSecretsInput,
) (*secretsmanager.ListSecretsOutput, error) {
	switch {
	case in.SortBy != "" && !slices.Contains(in.SortBy.Values(), in.SortBy):
		return nil, model.OutOfSet(
			"sortBy", in.SortBy, "created-date", "last-accessed-date", "last-changed-date", "name",
		)
	case in.SortOrder != "" && !slices.Contains(in.SortOrder.Values(), in.SortOrder):
		return nil, model.OutOfSet("sortOrder", in.SortOrder, "asc", "desc")
	}
	if err := model.Between("maxResults", in.MaxResults, 1, maxResults); err != nil {
		return nil, err
	}
	rows, next, err := a.list(ctx, listing{
		filters: in.Filters, deleted: aws.ToBool(in.IncludePlannedDeletion), by: in.SortBy,
		descending: in.SortOrder == types.SortOrderTypeDesc, token: in.NextToken,
		size: int(constraint.Default(in.MaxResults, maxResults)),
	})
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.ListSecretsOutput{SecretList: []types.SecretListEntry{}, NextToken: next}
	for _, row := range rows {
		out.SecretList = append(out.SecretList, types.SecretListEntry{
			ARN: aws.String(row.ARN), Name: aws.String(row.Name), Description: optional(row.Description),
			KmsKeyId: optional(row.KMSKeyID), CreatedDate: aws.Time(row.Created),
			LastChangedDate: aws.Time(row.Changed), LastAccessedDate: optionalTime(row.Accessed),
			DeletedDate: optionalTime(row.Deleted), SecretVersionsToStages: stagesOf(row), Tags: tagList(row.Tags),
		})
	}
	return out, nil
}

// DescribeSecret describes a secret, without its value. The secret may be marked for
// deletion.
func (a *API) DescribeSecret(
	ctx context.Context, in *secretsmanager.DescribeSecretInput,
) (*secretsmanager.DescribeSecretOutput, error) {
	row, err := a.find(a.Store.Read(ctx), regionFor(ctx, in.SecretId), in.SecretId)
	if err != nil {
		return nil, err
	}
	return &secretsmanager.DescribeSecretOutput{
		ARN: aws.String(row.ARN), Name: aws.String(row.Name), Description: optional(row.Description),
		KmsKeyId: optional(row.KMSKeyID), CreatedDate: aws.Time(row.Created), LastChangedDate: aws.Time(row.Changed),
		LastAccessedDate: optionalTime(row.Accessed), DeletedDate: optionalTime(row.Deleted),
		VersionIdsToStages: stagesOf(row), Tags: tagList(row.Tags),
	}, nil
}

// stagesOf returns the staging labels of a secret's versions by version. Versions
// without labels are left out.
func stagesOf(row *store.Secret) map[string][]string {
	var all map[string][]string
	for _, v := range row.Versions {
		if len(v.Stages) == 0 {
			continue
		}
		if all == nil {
			all = map[string][]string{}
		}
		all[v.ID] = slices.Clone(v.Stages)
	}
	return all
}

// ListSecretVersionIds lists the versions of a secret, oldest first: those with staging
// labels or, if IncludeDeprecated is set, all.
func (a *API) ListSecretVersionIds(
	ctx context.Context, in *secretsmanager.ListSecretVersionIdsInput,
) (*secretsmanager.ListSecretVersionIdsOutput, error) {
	if err := model.Between("maxResults", in.MaxResults, 1, maxResults); err != nil {
		return nil, err
	}
	last, ok := pageTokens.Last(in.NextToken)
	if !ok {
		return nil, invalidToken()
	}
	row, err := a.find(a.Store.Read(ctx), regionFor(ctx, in.SecretId), in.SecretId)
	if err != nil {
		return nil, err
	}
	var versions []store.SecretVersion
	key := func(v store.SecretVersion) string { return sortable(v.Created) + " " + v.ID }
	for _, v := range row.Versions {
		if len(v.Stages) > 0 || aws.ToBool(in.IncludeDeprecated) {
			versions = append(versions, v)
		}
	}
	slices.SortFunc(versions, func(x, y store.SecretVersion) int { return strings.Compare(key(x), key(y)) })
	size := int(constraint.Default(in.MaxResults, maxResults))
	versions, next := page.First(pageTokens, page.After(versions, last, key), size, key)
	out := &secretsmanager.ListSecretVersionIdsOutput{
		ARN: aws.String(row.ARN), Name: aws.String(row.Name), NextToken: next,
		Versions: []types.SecretVersionsListEntry{},
	}
	for _, v := range versions {
		out.Versions = append(out.Versions, types.SecretVersionsListEntry{
			VersionId: aws.String(v.ID), VersionStages: slices.Clone(v.Stages), CreatedDate: aws.Time(v.Created),
			LastAccessedDate: optionalTime(v.Accessed), KmsKeyIds: []string{"DefaultEncryptionKey"},
		})
	}
	return out, nil
}

// optional returns nil for an empty text, which AWS leaves out.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// optionalTime returns nil for the zero time.
func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
