package secretsmanager

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxBatch limits the secrets of one BatchGetSecretValue.
const maxBatch = 20

// GetSecretValue returns the value of a version: the one with an id, the one with a
// staging label, or the current one.
func (a *API) GetSecretValue(
	ctx context.Context, in *secretsmanager.GetSecretValueInput,
) (*secretsmanager.GetSecretValueOutput, error) {
	entry, err := a.get(ctx, in.SecretId, in.VersionId, in.VersionStage)
	if err != nil {
		return nil, err
	}
	return &secretsmanager.GetSecretValueOutput{
		ARN: entry.ARN, Name: entry.Name, VersionId: entry.VersionId, VersionStages: entry.VersionStages,
		CreatedDate: entry.CreatedDate, SecretString: entry.SecretString, SecretBinary: entry.SecretBinary,
	}, nil
}

// get returns the value of a version and records the access.
func (a *API) get(ctx context.Context, id, versionID, stage *string) (types.SecretValueEntry, error) {
	row, err := a.findInUse(a.Store.Read(ctx), regionFor(ctx, id), id)
	if err == nil {
		err = checkKeyOf(ctx, row)
	}
	if err != nil {
		return types.SecretValueEntry{}, err
	}
	version, err := findVersion(row, versionID, stage)
	if err != nil {
		return types.SecretValueEntry{}, err
	}
	value, err := a.open(row, version)
	if err != nil {
		return types.SecretValueEntry{}, err
	}
	if err := a.recordAccess(row, version.ID); err != nil {
		return types.SecretValueEntry{}, err
	}
	return types.SecretValueEntry{
		ARN: aws.String(row.ARN), Name: aws.String(row.Name), VersionId: aws.String(version.ID),
		VersionStages: slices.Clone(version.Stages), CreatedDate: aws.Time(version.Created),
		SecretString: value.text, SecretBinary: value.binary,
	}, nil
}

// findVersion returns the version that a request names.
func findVersion(row *store.Secret, id, stage *string) (*store.SecretVersion, error) {
	what, wanted := "staging label", constraint.Default(stage, current)
	i := versionWith(row.Versions, wanted)
	if id != nil {
		what, wanted = "VersionId", *id
		i = slices.IndexFunc(row.Versions, func(v store.SecretVersion) bool { return v.ID == *id })
	}
	if i < 0 {
		return nil, wire.Errorf(
			"ResourceNotFoundException",
			"Secrets Manager can't find the specified secret value for %s: %s", what, wanted,
		)
	}
	if id != nil && stage != nil && !slices.Contains(row.Versions[i].Stages, *stage) {
		return nil, wire.Errorf(
			"ResourceNotFoundException",
			"You provided a VersionStage that is not associated to the provided VersionId.",
		)
	}
	return &row.Versions[i], nil
}

// recordAccess records the day of an access, as AWS does, so that most accesses write
// nothing.
func (a *API) recordAccess(row *store.Secret, versionID string) error {
	day := a.Now().UTC().Truncate(24 * time.Hour)
	i := slices.IndexFunc(row.Versions, func(v store.SecretVersion) bool { return v.ID == versionID })
	if row.Accessed.Equal(day) && row.Versions[i].Accessed.Equal(day) {
		return nil
	}
	return a.Store.Update(func(tx *store.Tx) error {
		store.Secrets.Edit(tx, store.SecretKey(row.Region, row.Name), func(edited *store.Secret) {
			if edited.ARN != row.ARN {
				return // another secret has taken the name
			}
			edited.Accessed, edited.Versions = day, slices.Clone(edited.Versions)
			for i := range edited.Versions {
				if edited.Versions[i].ID == versionID {
					edited.Versions[i].Accessed = day
				}
			}
		})
		return nil
	})
}

// BatchGetSecretValue returns the current values of the secrets that it names or that
// match filters. Secrets that it cannot return are among its errors.
func (a *API) BatchGetSecretValue(
	ctx context.Context, in *secretsmanager.BatchGetSecretValueInput,
) (*secretsmanager.BatchGetSecretValueOutput, error) {
	ids, next, err := a.batch(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.BatchGetSecretValueOutput{
		Errors: []types.APIErrorType{}, SecretValues: []types.SecretValueEntry{}, NextToken: next,
	}
	for _, id := range ids {
		entry, err := a.get(ctx, &id, nil, nil)
		refusal, refused := errors.AsType[*wire.Error](err)
		switch {
		case refused:
			out.Errors = append(out.Errors, types.APIErrorType{
				SecretId: aws.String(id), ErrorCode: aws.String(refusal.Code), Message: aws.String(refusal.Message),
			})
		case err != nil:
			return nil, err
		default:
			out.SecretValues = append(out.SecretValues, entry)
		}
	}
	return out, nil
}

// batch returns the ids of the secrets that a request asks for.
func (a *API) batch(ctx context.Context, in *secretsmanager.BatchGetSecretValueInput) (
	ids []string, next *string, err error,
) {
	switch {
	case len(in.SecretIdList) > 0 && len(in.Filters) > 0:
		return nil, nil, invalid.Errorf("Either 'SecretIdList' or 'Filters' must be provided, but not both.")
	case len(in.SecretIdList) > maxBatch:
		return nil, nil, model.TooLong("secretIdList", maxBatch)
	case len(in.SecretIdList) > 0 && in.MaxResults != nil:
		return nil, nil, invalid.Errorf(
			"'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.",
		)
	case len(in.SecretIdList) > 0:
		return in.SecretIdList, nil, nil
	case len(in.Filters) == 0:
		return nil, nil, invalid.Errorf("Either 'SecretIdList' or 'Filters' must be provided.")
	}
	if err := model.Between("maxResults", in.MaxResults, 1, maxBatch); err != nil {
		return nil, nil, err
	}
	size := int(constraint.Default(in.MaxResults, maxBatch))
	rows, next, err := a.list(ctx, listing{filters: in.Filters, token: in.NextToken, size: size})
	for _, row := range rows {
		ids = append(ids, row.Name)
	}
	return ids, next, err
}
