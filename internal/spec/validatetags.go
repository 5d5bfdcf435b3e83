package spec

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of tags (Amazon EC2 User Guide, "Tag your Amazon EC2 resources"). A resource has
// at most 50 tags. Aloft needs up to 13 of them on an instance.
const (
	maxTags     = 50 - 13
	maxTagKey   = 128
	maxTagValue = 256
)

// tagText matches what all services allow in keys and values (AWS Identity and Access
// Management API Reference, Tag; Elastic Load Balancing API Reference, Tag).
var tagText = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

func (s *Spec) validateTags(d *decoder) {
	d.require(len(s.Tags) <= maxTags, "tags", "remove some: AWS allows 50 on a resource, and Aloft needs 13 of them",
		"expected at most %d tags, got %d", maxTags, len(s.Tags))
	seen := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(s.Tags)) {
		s.validateTag(d, key, s.Tags[key])
		lower := strings.ToLower(key)
		other, twice := seen[lower]
		d.require(!twice, "tags."+key, "keep one of them",
			"differs from %s only in its case, which the tags of roles do not distinguish", other)
		seen[lower] = key
	}
}

func (s *Spec) validateTag(d *decoder, key, value string) {
	at, lower := "tags."+key, strings.ToLower(key)
	length := utf8.RuneCountInString(key)
	d.require(length >= 1 && length <= maxTagKey, at, "choose a shorter key",
		"expected a key of 1 to %d characters, got %d", maxTagKey, length)
	d.require(!strings.HasPrefix(lower, "aws:"), at, "choose another key", "AWS reserves keys that begin with aws:")
	d.require(!strings.HasPrefix(lower, "aloft:"), at, "choose another key", "Aloft's own keys begin with aloft:")
	d.require(lower != "name", at, "choose another key", "Aloft sets the tag Name of each resource")
	length = utf8.RuneCountInString(value)
	d.require(length <= maxTagValue, at, "choose a shorter value",
		"expected a value of at most %d characters, got %d", maxTagValue, length)
	for _, text := range []struct{ what, of string }{{"key", key}, {"value", value}} {
		d.require(tagText.MatchString(text.of) && text.of == strings.TrimSpace(text.of), at,
			"use letters, digits, spaces between them, and _.:/=+-@",
			"the %s %q has characters that AWS does not allow", text.what, text.of)
	}
}
