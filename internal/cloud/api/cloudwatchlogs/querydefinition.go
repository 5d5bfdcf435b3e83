package cloudwatchlogs

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/api/page"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of saved queries (CloudWatch Logs API Reference, PutQueryDefinition; Amazon CloudWatch Logs User Guide,
// "CloudWatch Logs quotas").
const (
	maxDefinitions    = 1000 // of a region
	maxDefinitionName = 255
	maxDefinitionID   = 256
)

// PutQueryDefinition saves a query, or replaces one. As on AWS, the query may be malformed.
func (a *API) PutQueryDefinition(
	ctx context.Context, in *cloudwatchlogs.PutQueryDefinitionInput,
) (*cloudwatchlogs.PutQueryDefinitionOutput, error) {
	if err := checkDefinition(in); err != nil {
		return nil, err
	}
	row := &store.QueryDefinition{
		ID: aws.ToString(in.QueryDefinitionId), Name: *in.Name, Region: wire.RegionFrom(ctx), Query: *in.QueryString,
		Groups: slices.Clone(in.LogGroupNames), Modified: a.Now(), Token: aws.ToString(in.ClientToken),
	}
	err := a.change(ctx, func(tx *store.Tx, region identity.Region) error {
		all := store.QueryDefinitions.InRegion(tx, region)
		repeated := slices.IndexFunc(all, func(other *store.QueryDefinition) bool {
			return row.Token != "" && other.Token == row.Token
		})
		old, exists := store.QueryDefinitions.Get(tx, region.Key(row.ID))
		switch {
		case row.ID == "" && repeated >= 0:
			row.ID = all[repeated].ID
		case row.ID == "" && len(all) >= maxDefinitions:
			return wire.Errorf("LimitExceededException", "Resource limit exceeded.")
		case row.ID == "":
			row.ID = a.random.UUID()
		case !exists:
			return noDefinition(row.ID)
		default:
			row.Token = old.Token
		}
		store.QueryDefinitions.Put(tx, row)
		return nil
	})
	return &cloudwatchlogs.PutQueryDefinitionOutput{QueryDefinitionId: &row.ID}, err
}

func noDefinition(id string) error {
	return wire.Errorf("ResourceNotFoundException", "Query definition with ID %s does not exist.", id)
}

func checkDefinition(in *cloudwatchlogs.PutQueryDefinitionInput) error {
	switch {
	case len(in.Parameters) > 0:
		return wire.NotImplemented("the parameter Parameters of logs:PutQueryDefinition")
	case in.Name == nil:
		return model.Null("name")
	case *in.Name == "":
		return model.Empty("name")
	case len(*in.Name) > maxDefinitionName:
		return model.TextTooLong("name", *in.Name, maxDefinitionName)
	case in.QueryString == nil:
		return model.Null("queryString")
	case *in.QueryString == "":
		return model.Empty("queryString")
	case len(*in.QueryString) > maxQuery:
		return model.TooLong("queryString", maxQuery)
	case len(aws.ToString(in.QueryDefinitionId)) > maxDefinitionID:
		return model.TooLong("queryDefinitionId", maxDefinitionID)
	}
	for _, name := range in.LogGroupNames {
		if err := checkGroupName(&name); err != nil {
			return err
		}
	}
	return checkLanguage(in.QueryLanguage)
}

// DeleteQueryDefinition deletes a saved query.
func (a *API) DeleteQueryDefinition(
	ctx context.Context, in *cloudwatchlogs.DeleteQueryDefinitionInput,
) (*cloudwatchlogs.DeleteQueryDefinitionOutput, error) {
	if aws.ToString(in.QueryDefinitionId) == "" {
		return nil, model.Null("queryDefinitionId")
	}
	return &cloudwatchlogs.DeleteQueryDefinitionOutput{Success: true}, a.change(
		ctx, func(tx *store.Tx, region identity.Region) error {
			key := region.Key(*in.QueryDefinitionId)
			if _, ok := store.QueryDefinitions.Get(tx, key); !ok {
				return noDefinition(*in.QueryDefinitionId)
			}
			store.QueryDefinitions.Delete(tx, key)
			return nil
		})
}

const definitionTokens page.Prefix = "query-definitions-after:"

// DescribeQueryDefinitions lists the saved queries of the region by name.
func (a *API) DescribeQueryDefinitions(
	ctx context.Context, in *cloudwatchlogs.DescribeQueryDefinitionsInput,
) (*cloudwatchlogs.DescribeQueryDefinitionsOutput, error) {
	prefix := aws.ToString(in.QueryDefinitionNamePrefix)
	if in.QueryDefinitionNamePrefix != nil && prefix == "" {
		return nil, model.Empty("queryDefinitionNamePrefix")
	}
	last, ok := definitionTokens.Last(in.NextToken)
	if !ok {
		return nil, invalidToken()
	}
	if err := model.Between("maxResults", in.MaxResults, 1, maxQueriesListed); err != nil {
		return nil, err
	}
	if err := checkLanguage(in.QueryLanguage); err != nil {
		return nil, err
	}
	rows := store.QueryDefinitions.InRegion(a.Store.Read(ctx), wire.RegionFrom(ctx))
	rows = slices.DeleteFunc(slices.Clone(rows), func(r *store.QueryDefinition) bool {
		return !strings.HasPrefix(r.Name, prefix)
	})
	key := func(r *store.QueryDefinition) string { return r.Name + "\x00" + r.ID }
	slices.SortFunc(rows, func(a, b *store.QueryDefinition) int { return cmp.Compare(key(a), key(b)) })
	size := int(constraint.Default(in.MaxResults, maxQueriesListed))
	rows, next := page.First(definitionTokens, page.After(rows, last, key), size, key)
	out := &cloudwatchlogs.DescribeQueryDefinitionsOutput{QueryDefinitions: []types.QueryDefinition{}, NextToken: next}
	for _, row := range rows {
		out.QueryDefinitions = append(out.QueryDefinitions, types.QueryDefinition{
			QueryDefinitionId: &row.ID, Name: &row.Name, QueryString: &row.Query, LogGroupNames: row.Groups,
			LastModified: milliseconds(row.Modified), QueryLanguage: types.QueryLanguageCwli,
		})
	}
	return out, nil
}
