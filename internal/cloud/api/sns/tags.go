package sns

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

var tagRules = constraint.TagRules{
	Code:          "InvalidParameter",
	Reserved:      invalid("Tags Reason: Tag keys that start with aws: are reserved"),
	TooMany:       wire.Errorf("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded"),
	ValueRequired: true,
}

func addTags(old store.Tags, added []types.Tag) (store.Tags, error) {
	return constraint.MergeTags(tagRules, old, added, func(t types.Tag) (key, value *string) { return t.Key, t.Value })
}

// tagged returns the topic with the ARN. Nothing else has tags.
func tagged(r store.Reader, region identity.Region, arn *string) (*store.Topic, error) {
	row, ok := store.Topics.Get(r, aws.ToString(arn))
	if !ok || row.Region != region {
		return nil, &wire.Error{
			Code: "ResourceNotFound", Message: "Resource does not exist", Status: http.StatusNotFound,
		}
	}
	return row, nil
}

// TagResource adds tags to a topic or replaces their values.
func (a *API) TagResource(ctx context.Context, in *sns.TagResourceInput) (*sns.TagResourceOutput, error) {
	return &sns.TagResourceOutput{}, a.setTags(ctx, in.ResourceArn, func(old store.Tags) (store.Tags, error) {
		return addTags(old, in.Tags)
	})
}

// UntagResource removes tags from a topic.
func (a *API) UntagResource(ctx context.Context, in *sns.UntagResourceInput) (*sns.UntagResourceOutput, error) {
	return &sns.UntagResourceOutput{}, a.setTags(ctx, in.ResourceArn, func(old store.Tags) (store.Tags, error) {
		left := maps.Clone(old)
		for _, key := range in.TagKeys {
			delete(left, key)
		}
		return left, nil
	})
}

func (a *API) setTags(ctx context.Context, arn *string, change func(old store.Tags) (store.Tags, error)) error {
	return a.Store.Update(func(tx *store.Tx) error {
		row, err := tagged(tx, wire.RegionFrom(ctx), arn)
		if err != nil {
			return err
		}
		tags, err := change(row.Tags)
		if err != nil {
			return err
		}
		store.Topics.Edit(tx, row.ARN, func(edited *store.Topic) { edited.Tags = tags })
		return nil
	})
}

// ListTagsForResource lists a topic's tags.
func (a *API) ListTagsForResource(
	ctx context.Context, in *sns.ListTagsForResourceInput,
) (*sns.ListTagsForResourceOutput, error) {
	row, err := tagged(a.Store.Read(ctx), wire.RegionFrom(ctx), in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &sns.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(row.Tags)) {
		out.Tags = append(out.Tags, types.Tag{Key: new(key), Value: new(row.Tags[key])})
	}
	return out, nil
}
