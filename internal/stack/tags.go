package stack

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/spec"
)

// TagKeys is the tag that records which other tags of a resource the spec has asked for,
// by digests of their keys. A later run changes and removes those, and leaves all others
// to whoever set them.
const TagKeys = "aloft:tags"

// TagStage is the stage to which a resource belongs.
const TagStage = "aloft:stage"

// TagProtected marks the resources of an application that the spec protects.
const TagProtected = "aloft:protected"

// AttrTags are the tags of a resource that the spec asks for, in the form "key=value".
const AttrTags AttributeKey = "tags"

// keyDigest is the length of a key's digest in TagKeys. A tag's value has at most 256
// characters, which is enough for 42 keys; keys themselves may have 128.
const keyDigest = 6

// TagsOf returns the tags of a spec's resources besides those that Aloft needs to find
// them.
func TagsOf(s *spec.Spec) map[string]string {
	if s == nil {
		return nil
	}
	all := map[string]string{}
	maps.Copy(all, s.Tags)
	if s.Stage != "" {
		all[TagStage] = s.Stage
	}
	if s.Protect {
		all[TagProtected] = Yes
	}
	return all
}

// digestOf returns the digest of a tag's key in TagKeys.
func digestOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])[:keyDigest]
}

// WithRecord returns tags with the one that records their keys. No tags need no record.
func WithRecord(tags map[string]string) map[string]string {
	if len(tags) == 0 {
		return nil
	}
	var digests []string
	for key := range tags {
		digests = append(digests, digestOf(key))
	}
	slices.Sort(digests)
	all := maps.Clone(tags)
	all[TagKeys] = strings.Join(digests, "")
	return all
}

// Recorded returns those of a resource's tags that its record names. complete reports
// whether none of the named ones is gone.
func Recorded(all map[string]string) (tags map[string]string, complete bool) {
	record := map[string]bool{}
	for digest := range slices.Chunk([]byte(all[TagKeys]), keyDigest) {
		record[string(digest)] = true
	}
	tags = map[string]string{}
	for key, value := range all {
		if key != TagKeys && record[digestOf(key)] {
			tags[key] = value
		}
	}
	return tags, len(tags) == len(record)
}

// TagTexts returns tags as values of AttrTags.
func TagTexts(tags map[string]string) []string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		all = append(all, key+"="+tags[key])
	}
	return all
}

// tagsAttribute returns the attribute of tags.
func tagsAttribute(tags map[string]string) Attribute {
	a := Attribute{Key: AttrTags, Optional: true}
	for _, t := range TagTexts(tags) {
		a.Terms = append(a.Terms, Term{Text: t})
	}
	return a
}

// Attributes returns what is compared with the cloud: the body's attributes and the tags,
// if resources of the kind have tags of their own.
func (r Resource) Attributes() []Attribute {
	all := r.Body.Attributes()
	if r.Body.Kind().Tagged() {
		all = append(all, tagsAttribute(r.Tags))
	}
	return all
}
