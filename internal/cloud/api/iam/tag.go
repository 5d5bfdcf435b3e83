package iam

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
)

// tagRules are the API's rules (IAM User Guide, "Tags for AWS Identity and Access
// Management resources").
var tagRules = constraint.TagRules{
	Code: "ValidationError", ValueRequired: true,
	Reserved: invalidInput("Tag keys beginning with 'aws:' are reserved for system use."),
	TooMany:  limitExceeded("The number of tags has reached the maximum limit."),
}

const tagPattern = `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`

var tagForm = regexp.MustCompile("^" + tagPattern + "$")

// tagCase says whether keys that differ in case alone are the same. They are for roles
// and users only.
type tagCase bool

const (
	sensitive   tagCase = false
	insensitive tagCase = true
)

func (c tagCase) same(a, b string) bool { return a == b || bool(c) && strings.EqualFold(a, b) }

// merge returns the old tags with the added ones, which replace tags with the same keys.
func (c tagCase) merge(old store.Tags, added []types.Tag) (store.Tags, error) {
	if len(added) > constraint.MaxTags {
		return nil, model.TooLong("tags", constraint.MaxTags)
	}
	kept := old
	for i, tag := range added {
		key := aws.ToString(tag.Key)
		for _, text := range []string{key, aws.ToString(tag.Value)} {
			if !tagForm.MatchString(text) {
				return nil, model.Refuse("tags", text, "satisfy regular expression pattern: "+tagPattern)
			}
		}
		if slices.ContainsFunc(added[:i], func(t types.Tag) bool { return c.same(aws.ToString(t.Key), key) }) {
			return nil, c.duplicate()
		}
		kept = c.without(kept, key)
	}
	return constraint.MergeTags(tagRules, kept, added, func(t types.Tag) (key, value *string) { return t.Key, t.Value })
}

func (c tagCase) duplicate() error {
	if c == sensitive {
		return invalidInput("Duplicate tag keys found.")
	}
	return invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
}

// without returns the tags without those that have one of the keys.
func (c tagCase) without(tags store.Tags, keys ...string) store.Tags {
	left := maps.Clone(tags)
	maps.DeleteFunc(left, func(key, _ string) bool {
		return slices.ContainsFunc(keys, func(removed string) bool { return c.same(key, removed) })
	})
	return left
}

// checkTagKeys refuses the list of keys of a request that removes tags.
func checkTagKeys(keys []string) error {
	if len(keys) > constraint.MaxTags {
		return model.TooLong("tagKeys", constraint.MaxTags)
	}
	return model.Required("tagKeys", keys != nil)
}

// tagItems returns the tags in the order of their keys, or nil for none.
func tagItems(tags store.Tags) []types.Tag {
	var out []types.Tag
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, types.Tag{Key: new(key), Value: new(tags[key])})
	}
	return out
}

// tagPage returns the page of a list of tags.
func tagPage(tags store.Tags, marker *string, size *int32) (list[types.Tag], error) {
	out, err := paginate(tagItems(tags), func(t types.Tag) string { return *t.Key }, marker, size)
	if out.items == nil {
		out.items = []types.Tag{}
	}
	return out, err
}
