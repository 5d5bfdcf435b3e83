package ssm

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of a filter (AWS Systems Manager API Reference, ParameterStringFilter).
const (
	maxFilterKey    = 132
	maxFilterOption = 10
	maxFilterValues = 50
	maxFilterValue  = 1024
)

var filterKeyForm = regexp.MustCompile(`^(tag:.+|Name|Type|KeyId|Path|Label|Tier|DataType)$`)

// filterKeys are the filter keys of an operation.
type filterKeys []string

var (
	byPathFilters   = filterKeys{"Type", "KeyId", "Label"}
	describeFilters = filterKeys{"Path", "Name", "Type", "KeyId", "Tier", "DataType", "tag:"}
)

// filterValues lists the values of keys that have few.
var filterValues = map[string][]string{
	"Type": {"String", "StringList", "SecureString"},
	"Tier": {"Standard", "Advanced", "Intelligent-Tiering"},
}

// check refuses filters that the operation does not have.
func (keys filterKeys) check(filters []types.ParameterStringFilter) error {
	var violations []error
	for i, f := range filters {
		violations = append(violations, checkFilterModel(fmt.Sprintf("parameterFilters.%d.member.", i+1), f)...)
	}
	if err := model.All(violations...); err != nil {
		return err
	}
	var seen []string
	for _, f := range filters {
		key := aws.ToString(f.Key)
		if err := keys.checkKey(key); err != nil {
			return err
		}
		if err := checkFilterValues(key, aws.ToString(f.Option), f.Values); err != nil {
			return err
		}
		if slices.Contains(seen, key) {
			return wire.Errorf(
				"InvalidFilterKey",
				"The following filter is duplicated in the request: %s. A request can contain only one occurrence "+
					"of a specific filter.", key,
			)
		}
		seen = append(seen, key)
	}
	return nil
}

// checkFilterModel returns how a filter violates the model. member is the path to it.
func checkFilterModel(member string, f types.ParameterStringFilter) (violations []error) {
	key, option := aws.ToString(f.Key), aws.ToString(f.Option)
	if len(key) > maxFilterKey {
		violations = append(violations, model.TextTooLong(member+"key", key, maxFilterKey))
	}
	if !filterKeyForm.MatchString(key) {
		violations = append(violations, model.Refuse(
			member+"key", key, "satisfy regular expression pattern: tag:.+|Name|Type|KeyId|Path|Label|Tier|DataType",
		))
	}
	if len(option) > maxFilterOption {
		violations = append(violations, model.TextTooLong(member+"option", option, maxFilterOption))
	}
	if len(f.Values) > maxFilterValues {
		violations = append(violations, model.ListSize(member+"values", f.Values, maxFilterValues))
	}
	if slices.ContainsFunc(f.Values, func(v string) bool { return v == "" || len(v) > maxFilterValue }) {
		violations = append(violations, model.Refuse(
			member+"values", "["+strings.Join(f.Values, ", ")+"]", "satisfy constraint: [Member must have length "+
				"less than or equal to %d, Member must have length greater than or equal to 1]", maxFilterValue,
		))
	}
	return violations
}

func (keys filterKeys) checkKey(key string) error {
	name := key
	if strings.HasPrefix(key, "tag:") {
		name = "tag:"
	}
	if slices.Contains(keys, name) {
		return nil
	}
	valid := slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return k == "tag:" || k == "Label" })
	return wire.Errorf(
		"InvalidFilterKey", "The following filter key is not valid: %s. Valid filter keys include: [%s].", key,
		strings.Join(valid, ", "),
	)
}

func checkFilterValues(key, option string, values []string) error {
	options := filterOptions(key)
	switch {
	case len(values) == 0 && strings.HasPrefix(key, "tag:"): // the tag exists
		return nil
	case len(values) == 0:
		return wire.Errorf(
			"InvalidFilterValue", "The following filter values are missing : null for filter key %s.", key,
		)
	case option != "" && !slices.Contains(options, option):
		return wire.Errorf(
			"InvalidFilterOption",
			"The following filter option is not valid: %s. Valid options include: [%s].", option,
			strings.Join(options, ", "),
		)
	}
	for _, value := range values {
		known, limited := filterValues[key]
		switch {
		case limited && !slices.Contains(known, value):
			return wire.Errorf(
				"InvalidFilterOption",
				"The following filter value is not valid: %s. Valid values include: [%s].", value,
				strings.Join(known, ", "),
			)
		case key == "Path":
			if err := checkFilterPath(value); err != nil {
				return err
			}
		}
	}
	return nil
}

// filterOptions returns the options of a filter key.
func filterOptions(key string) []string {
	switch key {
	case "Path":
		return []string{"Recursive", "OneLevel"}
	case "Label":
		return []string{"Equals"}
	case "Name":
		return []string{"BeginsWith", "Equals", "Contains"}
	}
	return []string{"BeginsWith", "Equals"}
}

func checkFilterPath(path string) error {
	first := strings.ToLower(path)
	if strings.HasPrefix(first, "/aws") || strings.HasPrefix(first, "/ssm") {
		return model.Errorf(
			"Filters for common parameters can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). When using " +
				"global parameters, please specify within a global namespace.",
		)
	}
	return checkPath(path)
}

func matchesFilters(row *store.Parameter, filters []types.ParameterStringFilter) bool {
	for _, f := range filters {
		if len(f.Values) == 0 {
			if _, has := filterValue(row, *f.Key); !has {
				return false
			}
		} else if !slices.ContainsFunc(f.Values, func(wanted string) bool { return matches(row, f, wanted) }) {
			return false
		}
	}
	return true
}

// matches reports whether a parameter matches one of a filter's values.
func matches(row *store.Parameter, f types.ParameterStringFilter, wanted string) bool {
	key, option := aws.ToString(f.Key), aws.ToString(f.Option)
	if key == "Path" {
		return isBelow(wanted, row.Name, option == "Recursive")
	}
	if key == "Label" {
		return slices.Contains(row.Labels, wanted)
	}
	value, ok := filterValue(row, key)
	if !ok {
		return false
	}
	if key == "Name" && option != "Contains" {
		value, wanted = strings.TrimPrefix(value, "/"), strings.TrimPrefix(wanted, "/")
	}
	switch option {
	case "BeginsWith":
		return strings.HasPrefix(value, wanted)
	case "Contains":
		return strings.Contains(value, wanted)
	}
	return value == wanted
}

// filterValue returns the value of a parameter for a filter key and reports whether the
// parameter has one.
func filterValue(row *store.Parameter, key string) (string, bool) {
	if tag, ok := strings.CutPrefix(key, "tag:"); ok {
		value, has := row.Tags[tag]
		return value, has
	}
	value := map[string]string{
		"Name": row.Name, "Type": row.Type, "KeyId": row.KeyID, "Tier": row.Tier, "DataType": row.DataType,
	}[key]
	return value, value != ""
}
