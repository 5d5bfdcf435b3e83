package cloudwatch

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// tagRules are the API's rules for tags (Amazon CloudWatch API Reference, Tag).
var tagRules = constraint.TagRules{
	Code:          "InvalidParameterValue",
	Reserved:      invalid("Tag keys starting with 'aws:' are reserved for internal use"),
	TooMany:       invalid("A resource has at most %d tags.", constraint.MaxTags),
	ValueRequired: true,
}

// addTags returns the old tags with the new ones added or replaced.
func addTags(old store.Tags, added []types.Tag) (store.Tags, error) {
	return constraint.MergeTags(tagRules, old, added, func(t types.Tag) (key, value *string) { return t.Key, t.Value })
}

// taggedAlarm returns the alarm with the ARN. No other kind of resource here has
// tags.
func taggedAlarm(r store.Reader, region identity.Region, arn *string) (*store.Alarm, error) {
	if aws.ToString(arn) == "" {
		return nil, missingParameter("ResourceARN")
	}
	row, ok := store.Alarms.Get(r, *arn)
	if !ok || row.Region != region {
		return nil, &wire.Error{
			Code:    "ResourceNotFoundException",
			Message: "Unknown resource: " + *arn,
			Status:  http.StatusNotFound,
		}
	}
	return row, nil
}

// TagResource adds tags to an alarm or replaces their values.
func (a *API) TagResource(ctx context.Context, in *cloudwatch.TagResourceInput) (*cloudwatch.TagResourceOutput, error) {
	if in.Tags == nil {
		return nil, missingParameter("Tags")
	}
	return &cloudwatch.TagResourceOutput{}, a.Store.Update(func(tx *store.Tx) error {
		row, err := taggedAlarm(tx, wire.RegionFrom(ctx), in.ResourceARN)
		if err != nil {
			return err
		}
		tags, err := addTags(row.Tags, in.Tags)
		if err != nil {
			return err
		}
		store.Alarms.Edit(tx, row.ARN, func(edited *store.Alarm) { edited.Tags = tags })
		return nil
	})
}

// UntagResource removes tags from an alarm.
func (a *API) UntagResource(
	ctx context.Context, in *cloudwatch.UntagResourceInput,
) (*cloudwatch.UntagResourceOutput, error) {
	if in.TagKeys == nil {
		return nil, missingParameter("TagKeys")
	}
	return &cloudwatch.UntagResourceOutput{}, a.Store.Update(func(tx *store.Tx) error {
		row, err := taggedAlarm(tx, wire.RegionFrom(ctx), in.ResourceARN)
		if err != nil {
			return err
		}
		left := maps.Clone(row.Tags)
		for _, key := range in.TagKeys {
			delete(left, key)
		}
		store.Alarms.Edit(tx, row.ARN, func(edited *store.Alarm) { edited.Tags = left })
		return nil
	})
}

// ListTagsForResource lists an alarm's tags.
func (a *API) ListTagsForResource(
	ctx context.Context, in *cloudwatch.ListTagsForResourceInput,
) (*cloudwatch.ListTagsForResourceOutput, error) {
	row, err := taggedAlarm(a.Store.Read(ctx), wire.RegionFrom(ctx), in.ResourceARN)
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(row.Tags)) {
		out.Tags = append(out.Tags, types.Tag{Key: new(key), Value: new(row.Tags[key])})
	}
	return out, nil
}
