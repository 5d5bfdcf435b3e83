package cloudwatch

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

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

// tagged is a resource with tags: an alarm or a dashboard.
type tagged struct {
	tags store.Tags
	put  func(tx *store.Tx, tags store.Tags)
}

// taggedResource returns the resource with the ARN.
func taggedResource(r store.Reader, region identity.Region, arn *string) (tagged, error) {
	if aws.ToString(arn) == "" {
		return tagged{}, missingParameter("ResourceARN")
	}
	if row, ok := store.Alarms.Get(r, *arn); ok && row.Region == region {
		return tagged{row.Tags, func(tx *store.Tx, tags store.Tags) {
			store.Alarms.Edit(tx, row.ARN, func(edited *store.Alarm) { edited.Tags = tags })
		}}, nil
	}
	_, name, _ := strings.Cut(*arn, ":dashboard/")
	if row, ok := store.Dashboards.Get(r, region.Global().Key(name)); ok && dashboardARN(row) == *arn {
		return tagged{row.Tags, func(tx *store.Tx, tags store.Tags) {
			store.Dashboards.Edit(tx, row.Key(), func(edited *store.Dashboard) { edited.Tags = tags })
		}}, nil
	}
	return tagged{}, &wire.Error{
		Code: "ResourceNotFoundException", Message: "Unknown resource: " + *arn, Status: http.StatusNotFound,
	}
}

// editTags stores what change makes of the tags of a resource.
func (a *API) editTags(ctx context.Context, arn *string, change func(store.Tags) (store.Tags, error)) error {
	return a.Store.Update(func(tx *store.Tx) error {
		resource, err := taggedResource(tx, wire.RegionFrom(ctx), arn)
		if err != nil {
			return err
		}
		tags, err := change(resource.tags)
		if err != nil {
			return err
		}
		resource.put(tx, tags)
		return nil
	})
}

// TagResource adds tags to an alarm or a dashboard, or replaces their values.
func (a *API) TagResource(ctx context.Context, in *cloudwatch.TagResourceInput) (*cloudwatch.TagResourceOutput, error) {
	if in.Tags == nil {
		return nil, missingParameter("Tags")
	}
	return &cloudwatch.TagResourceOutput{}, a.editTags(ctx, in.ResourceARN, func(old store.Tags) (store.Tags, error) {
		return addTags(old, in.Tags)
	})
}

// UntagResource removes tags from an alarm or a dashboard.
func (a *API) UntagResource(
	ctx context.Context, in *cloudwatch.UntagResourceInput,
) (*cloudwatch.UntagResourceOutput, error) {
	if in.TagKeys == nil {
		return nil, missingParameter("TagKeys")
	}
	return &cloudwatch.UntagResourceOutput{}, a.editTags(ctx, in.ResourceARN, func(old store.Tags) (store.Tags, error) {
		left := maps.Clone(old)
		for _, key := range in.TagKeys {
			delete(left, key)
		}
		return left, nil
	})
}

// ListTagsForResource lists the tags of an alarm or a dashboard.
func (a *API) ListTagsForResource(
	ctx context.Context, in *cloudwatch.ListTagsForResourceInput,
) (*cloudwatch.ListTagsForResourceOutput, error) {
	resource, err := taggedResource(a.Store.Read(ctx), wire.RegionFrom(ctx), in.ResourceARN)
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(resource.tags)) {
		out.Tags = append(out.Tags, types.Tag{Key: new(key), Value: new(resource.tags[key])})
	}
	return out, nil
}
