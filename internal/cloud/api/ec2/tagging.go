package ec2

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of tags (Amazon EC2 User Guide, Tag your Amazon EC2 resources).
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// tagsAtCreation reads the tag specifications of an operation that creates the
// given kinds, by kind.
func tagsAtCreation(
	specifications []types.TagSpecification,
	kinds ...types.ResourceType,
) (map[types.ResourceType]store.Tags, error) {
	out := map[types.ResourceType]store.Tags{}
	for _, s := range specifications {
		switch _, twice := out[s.ResourceType]; {
		case s.ResourceType == "":
			return nil, wire.Errorf("InvalidParameterValue", "Tag specification resource type must have a value")
		case !slices.Contains(kinds, s.ResourceType):
			return nil, wire.Errorf(
				"InvalidParameterValue",
				"'%s' is not a valid taggable resource type for this operation.",
				s.ResourceType,
			)
		case twice:
			return nil, wire.Errorf(
				"InvalidParameterValue",
				"The same resource type may not be specified more than once in tag specifications",
			)
		case len(s.Tags) == 0:
			return nil, wire.Errorf("InvalidParameterValue", "Tag specification must have at least one tag")
		}
		tags, err := addTags(nil, s.Tags)
		if err != nil {
			return nil, err
		}
		out[s.ResourceType] = tags
	}
	return out, nil
}

// addTags returns the old tags with the new ones over them.
func addTags(old store.Tags, added []types.Tag) (store.Tags, error) {
	out := maps.Clone(old)
	if out == nil {
		out = store.Tags{}
	}
	seen := map[string]bool{}
	for _, tag := range added {
		key, value := aws.ToString(tag.Key), aws.ToString(tag.Value)
		switch {
		case key == "":
			return nil, missing("Tag.Key")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return nil, wire.Errorf(
				"InvalidParameterValue",
				"Tag keys starting with 'aws:' are reserved for internal use",
			)
		case utf8.RuneCountInString(key) > maxTagKey:
			return nil, wire.Errorf(
				"InvalidParameterValue", "Tag key exceeds the maximum length of %d characters", maxTagKey,
			)
		case utf8.RuneCountInString(value) > maxTagValue:
			return nil, wire.Errorf(
				"InvalidParameterValue", "Tag value exceeds the maximum length of %d characters", maxTagValue,
			)
		case seen[key]:
			return nil, wire.Errorf("InvalidParameterValue", "Duplicate tag key '%s' specified.", key)
		}
		seen[key] = true
		out[key] = value
	}
	if userTags(out) > maxTags {
		return nil, wire.Errorf("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")
	}
	return out, nil
}

// userTags counts the tags that the limit counts: AWS's own do not.
func userTags(tags store.Tags) int {
	n := 0
	for key := range tags {
		if !strings.HasPrefix(key, "aws:") {
			n++
		}
	}
	return n
}

// tagSet is the tags of an answer, by key.
func tagSet(tags store.Tags) []types.Tag {
	return list(slices.Sorted(maps.Keys(tags)), func(key string) types.Tag {
		return types.Tag{Key: aws.String(key), Value: aws.String(tags[key])}
	})
}
