package constraint

import (
	"fmt"
	"maps"
	"regexp"
	"strings"
	"unicode/utf8"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of tags; lengths are in characters (API References of AWS Certificate
// Manager, AWS Systems Manager, Amazon CloudWatch, Elastic Load Balancing and Amazon
// EC2 Auto Scaling, Tag).
const (
	MaxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// TagRules holds the differences between services in the validation of tags.
type TagRules struct {
	Code          string // code of the error for a key or a value of the wrong length
	Member        string // name of the list in errors, "tags"; "": the errors name no member
	Pattern       string // form of keys and values in those errors; "": any
	Reserved      error  // error for a key with the prefix "aws:"
	TooMany       error  // error for more than MaxTags tags
	ValueRequired bool   // false: a tag without a value gets an empty one
}

// MergeTags returns the old tags with the added ones, which replace tags with the same
// keys. It refuses tags that violate the rules. read returns the key and the value of
// a tag of the service's SDK.
func MergeTags[T any](
	rules TagRules, old store.Tags, added []T, read func(T) (key, value *string),
) (store.Tags, error) {
	out := make(store.Tags, len(old)+len(added))
	maps.Copy(out, old)
	for i, tag := range added {
		k, v := read(tag)
		key, value := Default(k, ""), Default(v, "")
		if rules.Member != "" {
			if err := rules.check(i+1, key, value); err != nil {
				return nil, err
			}
		}
		switch {
		case key == "" || utf8.RuneCountInString(key) > maxTagKey:
			return nil, wire.Errorf(rules.Code, "Tag keys have 1 to %d characters.", maxTagKey)
		case v == nil && rules.ValueRequired || utf8.RuneCountInString(value) > maxTagValue:
			return nil, wire.Errorf(rules.Code, "Tag values have at most %d characters.", maxTagValue)
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return nil, rules.Reserved
		}
		out[key] = value
	}
	if len(out) > MaxTags {
		return nil, rules.TooMany
	}
	return out, nil
}

// tagForm is the form of keys and values in services whose tags have a Pattern.
var tagForm = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// check refuses a tag that violates the model. n is its number in the list.
func (rules TagRules) check(n int, key, value string) error {
	m, member := Model(rules.Code), fmt.Sprintf("%s.%d.member.", rules.Member, n)
	var violations []error
	if key == "" {
		violations = append(violations, m.Empty(member+"key"))
	}
	for _, part := range []struct {
		name, text string
		most       int
	}{{"key", key, maxTagKey}, {"value", value, maxTagValue}} {
		if utf8.RuneCountInString(part.text) > part.most {
			violations = append(violations, m.TextTooLong(member+part.name, part.text, part.most))
		}
		if rules.Pattern != "" && !tagForm.MatchString(part.text) {
			violations = append(violations, m.Refuse(
				member+part.name, part.text, "satisfy regular expression pattern: %s", rules.Pattern,
			))
		}
	}
	return m.All(violations...)
}

// CheckTag refuses a tag that violates the limits, with the messages of Elastic Load
// Balancing.
func (m Model) CheckTag(key, value string) error {
	switch {
	case key == "" || utf8.RuneCountInString(key) > maxTagKey:
		return wire.Errorf(string(m), "Tag keys must be between 1 and %d characters long", maxTagKey)
	case utf8.RuneCountInString(value) > maxTagValue:
		return wire.Errorf(string(m), "Tag values cannot be longer than %d characters", maxTagValue)
	case strings.HasPrefix(strings.ToLower(key), "aws:"):
		return wire.Errorf(string(m), "Tag keys beginning with 'aws:' are reserved for system use")
	}
	return nil
}
