package secretsmanager

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// Limits of filters (AWS Secrets Manager API Reference, Filter).
const (
	maxFilters      = 10
	maxFilterValues = 10
	maxFilterValue  = 512
)

func checkFilters(filters []types.Filter) error {
	if len(filters) > maxFilters {
		return model.TooLong("filters", maxFilters)
	}
	for _, f := range filters {
		switch {
		case f.Key == "":
			return invalid.Errorf("Invalid filter key")
		case !slices.Contains(f.Key.Values(), f.Key):
			return model.OutOfSet(
				"filters.1.member.key", f.Key, "all", "name", "tag-key", "description", "tag-value", "primary-region",
				"owning-service",
			)
		case len(f.Values) == 0:
			return invalid.Errorf("Invalid filter values for key: %s", f.Key)
		case len(f.Values) > maxFilterValues:
			return model.TooLong("filters.1.member.values", maxFilterValues)
		case slices.ContainsFunc(f.Values, func(v string) bool { return len(v) > maxFilterValue }):
			return model.TooLong("filters.1.member.values.1.member", maxFilterValue)
		}
	}
	return nil
}

// matchesFilters reports whether a secret matches all filters. It matches a filter if it
// matches one of its values. A value with the prefix "!" matches what the rest does not.
func matchesFilters(row *store.Secret, filters []types.Filter) bool {
	for _, f := range filters {
		if !slices.ContainsFunc(f.Values, func(value string) bool {
			wanted, negated := strings.CutPrefix(value, "!")
			return matches(row, f.Key, wanted) != negated
		}) {
			return false
		}
	}
	return true
}

// matches reports whether a secret matches one value of a filter: a prefix, and for
// "all" the words of any attribute.
func matches(row *store.Secret, key types.FilterNameStringType, wanted string) bool {
	switch key {
	case types.FilterNameStringTypeName:
		return strings.HasPrefix(row.Name, wanted)
	case types.FilterNameStringTypeDescription:
		return row.Description != "" && hasPrefixFold(row.Description, wanted)
	case types.FilterNameStringTypeTagKey:
		return matchesTag(row.Tags, func(key, _ string) bool { return strings.HasPrefix(key, wanted) })
	case types.FilterNameStringTypeTagValue:
		return matchesTag(row.Tags, func(_, value string) bool { return strings.HasPrefix(value, wanted) })
	case types.FilterNameStringTypeAll:
		return !slices.ContainsFunc(strings.Fields(wanted), func(word string) bool { return !contains(row, word) })
	case types.FilterNameStringTypePrimaryRegion, types.FilterNameStringTypeOwningService:
		// No secret has replicas or belongs to a service.
	}
	return false
}

// contains reports whether a word is in one of a secret's attributes, in any case.
func contains(row *store.Secret, word string) bool {
	word = strings.ToLower(word)
	has := func(text string) bool { return strings.Contains(strings.ToLower(text), word) }
	return has(row.Name) || has(row.Description) ||
		matchesTag(row.Tags, func(key, value string) bool { return has(key) || has(value) })
}

func matchesTag(tags store.Tags, match func(key, value string) bool) bool {
	for key, value := range tags {
		if match(key, value) {
			return true
		}
	}
	return false
}

func hasPrefixFold(text, prefix string) bool {
	return strings.HasPrefix(strings.ToLower(text), strings.ToLower(prefix))
}
