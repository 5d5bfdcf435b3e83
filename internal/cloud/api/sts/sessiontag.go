package sts

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"aloft.dev/aloft/internal/cloud/session"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of session tags (AWS STS API Reference, AssumeRole and Tag).
const (
	maxSessionTags = 50
	maxTagKey      = 128
	maxTagValue    = 256
	tagKey         = `[\p{L}\p{Z}\p{N}_.:/=+\-@]+`
	tagValue       = `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`
)

var (
	tagKeyForm   = regexp.MustCompile(`^` + tagKey + `$`)
	tagValueForm = regexp.MustCompile(`^` + tagValue + `$`)
)

// checkTagForm refuses session tags that violate the API's model.
func checkTagForm(tags []types.Tag, transitive []string) error {
	switch {
	case len(tags) > maxSessionTags:
		return model.TooLong("tags", maxSessionTags)
	case len(transitive) > maxSessionTags:
		return model.TooLong("transitiveTagKeys", maxSessionTags)
	}
	for i, tag := range tags {
		key, value := aws.ToString(tag.Key), aws.ToString(tag.Value)
		at := "tags." + strconv.Itoa(i+1) + ".member."
		switch {
		case tag.Key == nil:
			return model.Null(at + "key")
		case tag.Value == nil:
			return model.Null(at + "value")
		case key == "" || utf8.RuneCountInString(key) > maxTagKey:
			return model.Refuse(at+"key", key, "have length between 1 and %d, inclusive", maxTagKey)
		case !tagKeyForm.MatchString(key):
			return model.Refuse(at+"key", key, "satisfy regular expression pattern: %s", tagKey)
		case utf8.RuneCountInString(value) > maxTagValue:
			return model.Refuse(at+"value", value, "have length less than or equal to %d", maxTagValue)
		case !tagValueForm.MatchString(value):
			return model.Refuse(at+"value", value, "satisfy regular expression pattern: %s", tagValue)
		}
	}
	return nil
}

func invalidValue(format string, args ...any) error {
	return wire.Errorf("InvalidParameterValue", format, args...)
}

// checkTags refuses session tags that contradict each other.
func checkTags(tags []types.Tag, transitive []string) error {
	var seen []string
	for _, tag := range tags {
		key := strings.ToLower(aws.ToString(tag.Key))
		switch {
		case strings.HasPrefix(key, "aws:"):
			return invalidValue("Tag keys cannot start with aws: which is reserved for system use.")
		case slices.Contains(seen, key):
			return invalidValue("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen = append(seen, key)
	}
	for _, key := range transitive {
		if !slices.Contains(seen, strings.ToLower(key)) {
			return invalidValue("The specified transitive tag key must be included in the requested tags.")
		}
	}
	return nil
}

// tagSession sets the tags of a new session: those of the request and those that it inherits from the session that
// assumes the role, parent, which may be nil (IAM User Guide, "Chaining roles with session tags").
func tagSession(s *session.Session, parent *session.Session, tags []types.Tag, transitive []string) error {
	s.Transitive = slices.Clone(transitive)
	if parent != nil {
		s.Tags = maps.Clone(parent.Tags)
		maps.DeleteFunc(s.Tags, func(key, _ string) bool { return !containsFold(parent.Transitive, key) })
		s.Transitive = append(s.Transitive, parent.Transitive...)
	}
	if s.Tags == nil {
		s.Tags = map[string]string{}
	}
	for _, tag := range tags {
		if parent != nil && containsFold(parent.Transitive, *tag.Key) {
			return invalidValue("One of the specified transitive tag keys can't be set because it conflicts with a " +
				"transitive tag key from the calling session.")
		}
		s.Tags[*tag.Key] = *tag.Value
	}
	return nil
}

func containsFold(list []string, text string) bool {
	return slices.ContainsFunc(list, func(one string) bool { return strings.EqualFold(one, text) })
}

// tagKeys adds the condition keys of session tags in a request.
func tagKeys(keys map[string][]string, tags []types.Tag, transitive []string) {
	for _, tag := range tags {
		keys["aws:RequestTag/"+*tag.Key] = []string{*tag.Value}
		keys["aws:TagKeys"] = append(keys["aws:TagKeys"], *tag.Key)
	}
	if len(transitive) > 0 {
		keys["sts:TransitiveTagKeys"] = transitive
	}
}
