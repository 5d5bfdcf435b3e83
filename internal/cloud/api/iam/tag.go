package iam

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

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

// The patterns of keys and values.
const (
	tagKeyPattern   = `[\p{L}\p{Z}\p{N}_.:/=+\-@]+`
	tagValuePattern = `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`

	maxTagKey   = 128 // characters
	maxTagValue = 256 // characters
)

var (
	tagKeyForm   = regexp.MustCompile("^" + tagKeyPattern + "$")
	tagValueForm = regexp.MustCompile("^" + tagValuePattern + "$")
)

// checkTag refuses the n-th tag of a request if its key or its value is malformed.
func checkTag(n int, tag types.Tag) error {
	key, value := fmt.Sprintf("tags.%d.member.key", n), fmt.Sprintf("tags.%d.member.value", n)
	switch {
	case tag.Key == nil:
		return model.Null(key)
	case *tag.Key == "":
		return model.TooShort(key, 1)
	case utf8.RuneCountInString(*tag.Key) > maxTagKey:
		return model.TooLong(key, maxTagKey)
	case !tagKeyForm.MatchString(*tag.Key):
		return model.Pattern(key, tagKeyPattern)
	case tag.Value == nil:
		return model.Null(value)
	case utf8.RuneCountInString(*tag.Value) > maxTagValue:
		return model.TooLong(value, maxTagValue)
	case !tagValueForm.MatchString(*tag.Value):
		return model.Pattern(value, tagValuePattern)
	}
	return nil
}

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
		if err := checkTag(i+1, tag); err != nil {
			return nil, err
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
	if slices.ContainsFunc(keys, func(key string) bool {
		return utf8.RuneCountInString(key) > maxTagKey || !tagKeyForm.MatchString(key)
	}) {
		return model.Elements("tagKeys", "have length less than or equal to 128",
			"have length greater than or equal to 1", "satisfy regular expression pattern: "+tagKeyPattern,
			"not be null")
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
