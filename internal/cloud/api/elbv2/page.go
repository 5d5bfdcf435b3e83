package elbv2

import (
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/api/page"
)

// maxPage is both the largest page and the default.
const maxPage = 400

// markers encodes the markers of the API's pages.
const markers page.Prefix = ""

// paginate sorts rows by key and returns the requested page and the marker of
// the next one.
func paginate[T any](rows []T, key func(T) string, size *int32, marker *string) (out []T, next *string, err error) {
	if err := model.Between("pageSize", size, 1, maxPage); err != nil {
		return nil, nil, err
	}
	slices.SortFunc(rows, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	last, ok := markers.Last(marker)
	if !ok {
		return nil, nil, invalid("The marker '%s' is invalid", *marker)
	}
	rows, next = page.First(markers, page.After(rows, last, key), int(constraint.Default(size, maxPage)), key)
	return rows, next, nil
}

// selected returns the rows with the given ARNs or names, all rows if none are
// given, and the ARNs and names that no row has.
func selected[T any](rows []T, arns, names []string, arn, name func(T) string) (kept []T, missing []string) {
	if len(arns)+len(names) == 0 {
		return rows, nil
	}
	found := map[string]bool{}
	for _, row := range rows {
		if slices.Contains(arns, arn(row)) || slices.Contains(names, name(row)) {
			kept = append(kept, row)
			found[arn(row)], found[name(row)] = true, true
		}
	}
	for _, requested := range slices.Concat(arns, names) {
		if !found[requested] {
			missing = append(missing, requested)
		}
	}
	return kept, missing
}
