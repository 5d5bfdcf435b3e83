package ec2

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxTagged is EC2's limit of resources in one request.
const maxTagged = 1000

// editTags changes the tags of the resources with the ids. If one id is unknown, it
// changes none.
func (a *API) editTags(
	ctx context.Context,
	dryRun *bool,
	resources []string,
	change func(store.Tags) (store.Tags, error),
) error {
	if len(resources) == 0 {
		return missingParameter("resourceIdSet")
	}
	if len(resources) > maxTagged {
		return wire.Errorf("InvalidParameterValue", "The maximum number of resources in one request is %d", maxTagged)
	}
	return a.change(ctx, dryRun, func(tx *store.Tx, region identity.Region) error {
		for _, id := range resources {
			kinds := taggableTypes()
			i := slices.IndexFunc(kinds, func(kind taggableType) bool { return kind.ownsID(id) })
			if i < 0 {
				return wire.Errorf("InvalidID", "The ID '%s' is not valid", id)
			}
			if err := kinds[i].editTags(tx, region, id, change); err != nil {
				return err
			}
		}
		return nil
	})
}

// CreateTags adds tags to resources of any types. A tag replaces one with the same
// key.
func (a *API) CreateTags(ctx context.Context, in *ec2.CreateTagsInput) (*ec2.CreateTagsOutput, error) {
	if len(in.Tags) == 0 {
		return nil, missingParameter("tagSet")
	}
	return &ec2.CreateTagsOutput{}, a.editTags(
		ctx, in.DryRun, in.Resources, func(old store.Tags) (store.Tags, error) { return mergeTags(old, in.Tags) },
	)
}

// DeleteTags removes tags from resources: those with the given keys and, if a value is
// given too, with that value. Without tags in the request, it removes all tags that
// users have set.
func (a *API) DeleteTags(ctx context.Context, in *ec2.DeleteTagsInput) (*ec2.DeleteTagsOutput, error) {
	for _, tag := range in.Tags {
		if err := required(parameter{"Tag.Key", tag.Key}); err != nil {
			return nil, err
		}
		if strings.HasPrefix(strings.ToLower(*tag.Key), "aws:") {
			return nil, wire.Errorf(
				"InvalidParameterValue",
				"Tag keys starting with 'aws:' are reserved for internal use",
			)
		}
	}
	return &ec2.DeleteTagsOutput{}, a.editTags(ctx, in.DryRun, in.Resources, func(old store.Tags) (store.Tags, error) {
		left := maps.Clone(old)
		maps.DeleteFunc(left, func(key, value string) bool {
			if len(in.Tags) == 0 {
				return !strings.HasPrefix(key, "aws:")
			}
			return slices.ContainsFunc(in.Tags, func(tag types.Tag) bool {
				return aws.ToString(tag.Key) == key && (tag.Value == nil || *tag.Value == value)
			})
		})
		return left, nil
	})
}

// resourceTag is one tag of one resource.
type resourceTag struct {
	kind           types.ResourceType
	id, key, value string
}

var tagFilters = filters[resourceTag]{
	byTag:           noValue[resourceTag],
	"key":           field(func(t resourceTag) string { return t.key }),
	"value":         field(func(t resourceTag) string { return t.value }),
	"resource-id":   field(func(t resourceTag) string { return t.id }),
	"resource-type": field(func(t resourceTag) string { return string(t.kind) }),
}

// DescribeTags lists the tags of the region's resources.
func (a *API) DescribeTags(ctx context.Context, in *ec2.DescribeTagsInput) (*ec2.DescribeTagsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	pages := pageRequest{in.MaxResults, in.NextToken}
	if err := cmp.Or(pages.check("", false), tagFilters.check(in.Filters)); err != nil {
		return nil, err
	}
	var found []resourceTag
	for _, kind := range taggableTypes() {
		kind.eachTagged(view, region, func(kind types.ResourceType, id string, tags store.Tags) {
			for key, value := range tags {
				t := resourceTag{kind, id, key, value}
				if tagFilters.match(view, t, store.Tags{key: value}, in.Filters) {
					found = append(found, t)
				}
			}
		})
	}
	slices.SortFunc(found, func(a, b resourceTag) int { return strings.Compare(a.sortKey(), b.sortKey()) })
	rows, next, err := paginate(pages, found, resourceTag.sortKey)
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeTagsOutput{NextToken: next, Tags: list(rows, func(t resourceTag) types.TagDescription {
		return types.TagDescription{
			ResourceId:   aws.String(t.id),
			ResourceType: t.kind,
			Key:          aws.String(t.key),
			Value:        aws.String(t.value),
		}
	})}, nil
}

// sortKey orders tags in the response.
func (t resourceTag) sortKey() string { return t.id + " " + t.key }
