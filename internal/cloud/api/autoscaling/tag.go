package autoscaling

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const groupResourceType = "auto-scaling-group"

// readTags checks the tags of a request and returns them sorted by key. Of tags
// with the same key, the last counts.
func readTags(given []types.Tag) ([]store.ScalingTag, error) {
	var out []store.ScalingTag
	for _, t := range given {
		key, value := aws.ToString(t.Key), aws.ToString(t.Value)
		if err := model.CheckTag(key, value); err != nil {
			return nil, err
		}
		if constraint.Default(t.ResourceType, groupResourceType) != groupResourceType {
			return nil, invalid("Invalid resource type: %s", *t.ResourceType)
		}
		out = putTag(out, store.ScalingTag{Key: key, Value: value, Propagate: aws.ToBool(t.PropagateAtLaunch)})
	}
	return out, checkTagCount(out)
}

func checkTagCount(tags []store.ScalingTag) error {
	if len(tags) <= constraint.MaxTags {
		return nil
	}
	return wire.Errorf(
		"LimitExceeded", "The number of tags of an Auto Scaling group is limited to %d", constraint.MaxTags,
	)
}

// putTag returns tags with t added, in place of a tag with its key. tags are
// sorted by key and stay unchanged.
func putTag(tags []store.ScalingTag, t store.ScalingTag) []store.ScalingTag {
	byKey := func(t store.ScalingTag, key string) int { return cmp.Compare(t.Key, key) }
	at, found := slices.BinarySearchFunc(tags, t.Key, byKey)
	out := slices.Clone(tags)
	if found {
		out[at] = t
		return out
	}
	return slices.Insert(out, at, t)
}

func describeTag(g *store.ScalingGroup, t store.ScalingTag) types.TagDescription {
	return types.TagDescription{
		Key:               aws.String(t.Key),
		Value:             aws.String(t.Value),
		PropagateAtLaunch: aws.Bool(t.Propagate),
		ResourceId:        aws.String(g.Name),
		ResourceType:      aws.String(groupResourceType),
	}
}

// CreateOrUpdateTags adds tags to groups, or replaces those with the same keys.
// It does not tag existing instances.
func (a *API) CreateOrUpdateTags(
	ctx context.Context, in *autoscaling.CreateOrUpdateTagsInput,
) (*autoscaling.CreateOrUpdateTagsOutput, error) {
	put := func(g *store.ScalingGroup, t types.Tag) ([]store.ScalingTag, error) {
		read, err := readTags([]types.Tag{t})
		if err != nil {
			return nil, err
		}
		tags := putTag(g.Tags, read[0])
		return tags, checkTagCount(tags)
	}
	return &autoscaling.CreateOrUpdateTagsOutput{}, a.updateTags(ctx, in.Tags, put)
}

// DeleteTags removes the tags with a key, and with a value if the request has
// one. A tag that the group lacks is no error.
func (a *API) DeleteTags(ctx context.Context, in *autoscaling.DeleteTagsInput) (*autoscaling.DeleteTagsOutput, error) {
	remove := func(g *store.ScalingGroup, t types.Tag) ([]store.ScalingTag, error) {
		if err := model.Required("tags.member.key", t.Key != nil); err != nil {
			return nil, err
		}
		return slices.DeleteFunc(slices.Clone(g.Tags), func(old store.ScalingTag) bool {
			return old.Key == *t.Key && (t.Value == nil || *t.Value == old.Value)
		}), nil
	}
	return &autoscaling.DeleteTagsOutput{}, a.updateTags(ctx, in.Tags, remove)
}

// updateTags changes groups' tags: for all tags of a request, or for none on an
// error. change returns a group's new tags.
func (a *API) updateTags(
	ctx context.Context, given []types.Tag, change func(*store.ScalingGroup, types.Tag) ([]store.ScalingTag, error),
) error {
	if len(given) == 0 {
		return model.Null("tags")
	}
	return a.Store.Update(func(tx *store.Tx) error {
		for _, t := range given {
			if err := model.Required("tags.member.resourceId", t.ResourceId != nil); err != nil {
				return err
			}
			g, err := findGroup(tx, wire.RegionFrom(ctx), t.ResourceId)
			if err != nil {
				return err
			}
			tags, err := change(g, t)
			if err != nil {
				return err
			}
			store.ScalingGroups.Edit(tx, g.Key(), func(g *store.ScalingGroup) { g.Tags = tags })
		}
		return nil
	})
}
