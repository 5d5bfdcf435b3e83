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

// Limits of tags; keys and values are measured in characters (Amazon EC2 User Guide,
// Tag your Amazon EC2 resources).
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// mergeTags returns the old tags with the added ones, which replace tags with the same
// keys. It refuses tags that violate EC2's rules.
func mergeTags(old store.Tags, added []types.Tag) (store.Tags, error) {
	out := maps.Clone(old)
	if out == nil {
		out = store.Tags{}
	}
	seen := map[string]bool{}
	for _, tag := range added {
		key, value := aws.ToString(tag.Key), aws.ToString(tag.Value)
		switch {
		case key == "":
			return nil, missingParameter("Tag.Key")
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
	if countUserTags(out) > maxTags {
		return nil, wire.Errorf("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")
	}
	return out, nil
}

// countUserTags counts the tags that the limit applies to: all but AWS's own.
func countUserTags(tags store.Tags) int {
	n := 0
	for key := range tags {
		if !strings.HasPrefix(key, "aws:") {
			n++
		}
	}
	return n
}

// tagSet returns tags for a response, in the order of their keys.
func tagSet(tags store.Tags) []types.Tag {
	return list(slices.Sorted(maps.Keys(tags)), func(key string) types.Tag {
		return types.Tag{Key: aws.String(key), Value: aws.String(tags[key])}
	})
}
