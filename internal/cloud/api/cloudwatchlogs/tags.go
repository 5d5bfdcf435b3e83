package cloudwatchlogs

import (
	"context"
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// tagRules are the API's rules (CloudWatch Logs API Reference, TagResource).
var tagRules = constraint.TagRules{
	Code:     "InvalidParameterException",
	Reserved: model.Errorf("aws: prefixed tag key names are not allowed for external use."),
	TooMany: wire.Errorf(
		"TooManyTagsException", "The maximum number of tags for a resource is %d.", constraint.MaxTags,
	),
}

func mergeTags(old store.Tags, added map[string]string) (store.Tags, error) {
	type tag struct{ key, value string }
	var list []tag
	for key, value := range added {
		list = append(list, tag{key, value})
	}
	return constraint.MergeTags(tagRules, old, list, func(t tag) (key, value *string) { return &t.key, &t.value })
}

// addTags and removeTags change the tags of a group.
func (a *API) addTags(ctx context.Context, group *string, tags map[string]string) error {
	return a.editGroup(ctx, group, func(row *store.LogGroup) (err error) {
		row.Tags, err = mergeTags(row.Tags, tags)
		return err
	})
}

func (a *API) removeTags(ctx context.Context, group *string, keys []string) error {
	return a.editGroup(ctx, group, func(row *store.LogGroup) error {
		row.Tags = maps.Clone(row.Tags)
		for _, key := range keys {
			delete(row.Tags, key)
		}
		return nil
	})
}

func (a *API) tags(ctx context.Context, group *string) (map[string]string, error) {
	if err := checkGroupName(group); err != nil {
		return nil, err
	}
	row, err := findGroup(a.Store.Read(ctx), wire.RegionFrom(ctx), *group)
	if err != nil {
		return nil, err
	}
	tags := map[string]string{}
	maps.Copy(tags, row.Tags)
	return tags, nil
}

// tagged returns the name of the group that a tag operation is about.
func tagged(ctx context.Context, arn *string) (*string, error) {
	if arn == nil {
		return nil, model.Null("resourceArn")
	}
	name, err := groupOfARN(wire.RegionFrom(ctx), *arn)
	return &name, err
}

// TagResource adds tags to a log group. A tag replaces one with the same key.
func (a *API) TagResource(
	ctx context.Context, in *cloudwatchlogs.TagResourceInput,
) (*cloudwatchlogs.TagResourceOutput, error) {
	group, err := tagged(ctx, in.ResourceArn)
	if err == nil && len(in.Tags) == 0 {
		err = model.Null("tags")
	}
	if err != nil {
		return nil, err
	}
	return &cloudwatchlogs.TagResourceOutput{}, a.addTags(ctx, group, in.Tags)
}

// UntagResource removes the tags with the keys from a log group.
func (a *API) UntagResource(
	ctx context.Context, in *cloudwatchlogs.UntagResourceInput,
) (*cloudwatchlogs.UntagResourceOutput, error) {
	group, err := tagged(ctx, in.ResourceArn)
	if err == nil && in.TagKeys == nil {
		err = model.Null("tagKeys")
	}
	if err != nil {
		return nil, err
	}
	return &cloudwatchlogs.UntagResourceOutput{}, a.removeTags(ctx, group, in.TagKeys)
}

// ListTagsForResource lists the tags of a log group.
func (a *API) ListTagsForResource(
	ctx context.Context, in *cloudwatchlogs.ListTagsForResourceInput,
) (*cloudwatchlogs.ListTagsForResourceOutput, error) {
	group, err := tagged(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags, err := a.tags(ctx, group)
	return &cloudwatchlogs.ListTagsForResourceOutput{Tags: tags}, err
}

// TagLogGroup is the older TagResource.
func (a *API) TagLogGroup(
	ctx context.Context, in *cloudwatchlogs.TagLogGroupInput,
) (*cloudwatchlogs.TagLogGroupOutput, error) {
	if len(in.Tags) == 0 {
		return nil, model.Null("tags")
	}
	return &cloudwatchlogs.TagLogGroupOutput{}, a.addTags(ctx, in.LogGroupName, in.Tags)
}

// UntagLogGroup is the older UntagResource.
func (a *API) UntagLogGroup(
	ctx context.Context, in *cloudwatchlogs.UntagLogGroupInput,
) (*cloudwatchlogs.UntagLogGroupOutput, error) {
	if len(in.Tags) == 0 {
		return nil, model.Null("tags")
	}
	return &cloudwatchlogs.UntagLogGroupOutput{}, a.removeTags(ctx, in.LogGroupName, in.Tags)
}

// ListTagsLogGroup is the older ListTagsForResource.
func (a *API) ListTagsLogGroup(
	ctx context.Context, in *cloudwatchlogs.ListTagsLogGroupInput,
) (*cloudwatchlogs.ListTagsLogGroupOutput, error) {
	tags, err := a.tags(ctx, in.LogGroupName)
	return &cloudwatchlogs.ListTagsLogGroupOutput{Tags: tags}, err
}
