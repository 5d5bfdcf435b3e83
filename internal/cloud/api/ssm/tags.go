package ssm

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// tagRules are the API's rules (AWS Systems Manager API Reference, Tag).
var tagRules = constraint.TagRules{
	Code:     "ValidationException",
	Member:   "tags",
	Pattern:  `^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$`,
	Reserved: model.Errorf("aws: prefixed tag key names are not allowed for external use."),
	TooMany: wire.Errorf(
		"TooManyTagsError",
		"The Targets parameter includes too many tags. Remove one or more tags and try the command again.",
	),
}

// mergeTags returns the old tags with the added ones, which replace tags with the same
// keys.
func mergeTags(old store.Tags, added []types.Tag) (store.Tags, error) {
	return constraint.MergeTags(tagRules, old, added, func(t types.Tag) (key, value *string) { return t.Key, t.Value })
}

// taggable is something with tags.
type taggable struct {
	tags store.Tags
	set  func(tx *store.Tx, tags store.Tags)
}

// findTagged returns the parameter or the document that a tag operation names.
func findTagged(
	r store.Reader, region identity.Region, kind types.ResourceTypeForTagging, id *string,
) (taggable, error) {
	name := aws.ToString(id)
	switch kind {
	case types.ResourceTypeForTaggingParameter:
		if row, ok := findParameter(r, region, name); ok && !store.IsPublicParameter(row.Name) {
			return taggable{row.Tags, func(tx *store.Tx, tags store.Tags) {
				store.Parameters.Edit(tx, row.Key(), func(edited *store.Parameter) { edited.Tags = tags })
			}}, nil
		}
	case types.ResourceTypeForTaggingDocument:
		if row, ok := store.Documents.Get(r, region.Key(name)); ok {
			return taggable{row.Tags, func(tx *store.Tx, tags store.Tags) {
				store.Documents.Edit(tx, region.Key(name), func(edited *store.Document) { edited.Tags = tags })
			}}, nil
		}
	default:
		return taggable{}, wire.Errorf("InvalidResourceType",
			"%s is not a resource type that aloft's local cloud has: it has Parameter and Document.", kind)
	}
	return taggable{}, &wire.Error{Code: "InvalidResourceId"}
}

func (a *API) editTags(
	ctx context.Context,
	kind types.ResourceTypeForTagging,
	id *string,
	change func(store.Tags) (store.Tags, error),
) error {
	return a.change(ctx, func(tx *store.Tx, region identity.Region) error {
		found, err := findTagged(tx, region, kind, id)
		if err != nil {
			return err
		}
		tags, err := change(found.tags)
		if err != nil {
			return err
		}
		found.set(tx, tags)
		return nil
	})
}

// AddTagsToResource adds tags to a parameter or a document. A tag replaces one with the same key.
func (a *API) AddTagsToResource(
	ctx context.Context, in *ssm.AddTagsToResourceInput,
) (*ssm.AddTagsToResourceOutput, error) {
	add := func(old store.Tags) (store.Tags, error) { return mergeTags(old, in.Tags) }
	return &ssm.AddTagsToResourceOutput{}, a.editTags(ctx, in.ResourceType, in.ResourceId, add)
}

// RemoveTagsFromResource removes the tags with the keys from a parameter or a document.
func (a *API) RemoveTagsFromResource(
	ctx context.Context, in *ssm.RemoveTagsFromResourceInput,
) (*ssm.RemoveTagsFromResourceOutput, error) {
	return &ssm.RemoveTagsFromResourceOutput{}, a.editTags(
		ctx,
		in.ResourceType,
		in.ResourceId,
		func(old store.Tags) (store.Tags, error) {
			left := maps.Clone(old)
			for _, key := range in.TagKeys {
				delete(left, key)
			}
			return left, nil
		},
	)
}

// ListTagsForResource lists the tags of a parameter or a document.
func (a *API) ListTagsForResource(
	ctx context.Context, in *ssm.ListTagsForResourceInput,
) (*ssm.ListTagsForResourceOutput, error) {
	view, region, err := a.read(ctx)
	if err != nil {
		return nil, err
	}
	found, err := findTagged(view, region, in.ResourceType, in.ResourceId)
	if err != nil {
		return nil, err
	}
	return &ssm.ListTagsForResourceOutput{TagList: describeTags(found.tags)}, nil
}

// describeTags returns tags in the order of their keys.
func describeTags(tags store.Tags) []types.Tag {
	list := []types.Tag{}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return list
}
