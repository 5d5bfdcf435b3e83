package ssm

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/api/page"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxCommandFilters is how many filters a list of commands has at most.
const maxCommandFilters = 5

// filtered holds the properties of a command or an invocation that filters see.
type filtered struct {
	document        string
	requested       time.Time
	status, details string
	complete        bool
}

// commandFilter returns a function that reports whether all filters match. stages reports
// whether the operation has the filter ExecutionStage.
func commandFilter(filters []types.CommandFilter, stages bool) (matches func(filtered) bool, err error) {
	if len(filters) > maxCommandFilters {
		return nil, model.TooLong("filters", maxCommandFilters)
	}
	var all []func(filtered) bool
	for _, f := range filters {
		match, err := matchCommand(f, stages)
		if err != nil {
			return nil, err
		}
		all = append(all, match)
	}
	return func(c filtered) bool {
		return !slices.ContainsFunc(all, func(match func(filtered) bool) bool { return !match(c) })
	}, nil
}

func matchCommand(f types.CommandFilter, stages bool) (func(filtered) bool, error) {
	value := aws.ToString(f.Value)
	switch f.Key {
	case types.CommandFilterKeyInvokedAfter, types.CommandFilterKeyInvokedBefore:
		at, err := time.Parse(time.RFC3339, value)
		if err != nil {
			return nil, model.Errorf("The value %q of the filter %s is not a time such as 2024-07-07T00:00:00Z.",
				value, f.Key)
		}
		if f.Key == types.CommandFilterKeyInvokedAfter {
			return func(c filtered) bool { return !c.requested.Before(at) }, nil
		}
		return func(c filtered) bool { return c.requested.Before(at) }, nil
	case types.CommandFilterKeyStatus:
		return func(c filtered) bool { return c.status == value || c.details == value }, nil
	case types.CommandFilterKeyDocumentName:
		return func(c filtered) bool { return c.document == value }, nil
	case types.CommandFilterKeyExecutionStage:
		switch {
		case !stages:
		case value == "Executing":
			return func(c filtered) bool { return !c.complete }, nil
		case value == "Complete":
			return func(c filtered) bool { return c.complete }, nil
		default:
			return nil, model.Errorf("The value %q of the filter %s is neither Executing nor Complete.", value, f.Key)
		}
	}
	return nil, wire.Errorf("InvalidFilterKey", "The filter %q is not valid for this operation.", f.Key)
}

// newestFirst returns a key that orders what was requested at a time before what is older.
func newestFirst(requested time.Time, rest string) string {
	return fmt.Sprintf("%019d/%s", math.MaxInt64-requested.UnixNano(), rest)
}

// sortedBy sorts rows by their keys.
func sortedBy[R any](rows []R, key func(R) string) []R {
	slices.SortFunc(rows, func(a, b R) int { return strings.Compare(key(a), key(b)) })
	return rows
}

// commandPage returns the rows of a page and the token of the next.
func commandPage[R any](rows []R, last string, size *int32, key func(R) string) ([]R, *string) {
	return page.First(pageTokens, page.After(rows, last, key), int(constraint.Default(size, maxCommands)), key)
}
