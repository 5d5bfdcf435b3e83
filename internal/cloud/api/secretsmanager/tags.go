package secretsmanager

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// tagRules are the API's rules (AWS Secrets Manager API Reference, TagResource).
var tagRules = constraint.TagRules{
	Code:     "InvalidParameterException",
	Reserved: invalid.Errorf("You can't use the tag prefix aws: because it is reserved for AWS use."),
	TooMany: wire.Errorf(
		"InvalidParameterException", "You can't have more than %d tags on a secret.", constraint.MaxTags,
	),
}

func mergeTags(old store.Tags, added []types.Tag) (store.Tags, error) {
	return constraint.MergeTags(tagRules, old, added, func(t types.Tag) (key, value *string) { return t.Key, t.Value })
}

// tagList returns tags in the order of their keys.
func tagList(tags store.Tags) []types.Tag {
	var list []types.Tag
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return list
}

// TagResource adds tags to a secret. A tag replaces one with the same key.
func (a *API) TagResource(
	ctx context.Context, in *secretsmanager.TagResourceInput,
) (*secretsmanager.TagResourceOutput, error) {
	if in.Tags == nil {
		return nil, model.Null("tags")
	}
	return &secretsmanager.TagResourceOutput{}, a.edit(ctx, in.SecretId, func(row *store.Secret) (err error) {
		row.Tags, err = mergeTags(row.Tags, in.Tags)
		return err
	})
}

// UntagResource removes the tags with the keys from a secret.
func (a *API) UntagResource(
	ctx context.Context, in *secretsmanager.UntagResourceInput,
) (*secretsmanager.UntagResourceOutput, error) {
	if in.TagKeys == nil {
		return nil, model.Null("tagKeys")
	}
	return &secretsmanager.UntagResourceOutput{}, a.edit(ctx, in.SecretId, func(row *store.Secret) error {
		row.Tags = maps.Clone(row.Tags)
		for _, key := range in.TagKeys {
			delete(row.Tags, key)
		}
		return nil
	})
}
