package elbv2

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/api/constraint"
)

// maxPage is both the largest page and the default.
const maxPage = 400

// page returns one page of rows, which it sorts by key. A marker names the last
// row of the previous page.
func page[T any](rows []T, key func(T) string, size *int32, marker *string) (out []T, next *string, err error) {
	if err := model.Between("pageSize", size, 1, maxPage); err != nil {
		return nil, nil, err
	}
	slices.SortFunc(rows, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	if aws.ToString(marker) != "" {
		after, err := base64.RawURLEncoding.DecodeString(*marker)
		if err != nil {
			return nil, nil, invalid("The marker '%s' is invalid", *marker)
		}
		start, found := slices.BinarySearchFunc(
			rows, string(after), func(row T, after string) int { return strings.Compare(key(row), after) },
		)
		if found {
			start++
		}
		rows = rows[start:]
	}
	limit := int(constraint.Default(size, maxPage))
	if len(rows) <= limit {
		return rows, nil, nil
	}
	rows = rows[:limit]
	return rows, new(base64.RawURLEncoding.EncodeToString([]byte(key(rows[limit-1])))), nil
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
	for _, wanted := range slices.Concat(arns, names) {
		if !found[wanted] {
			missing = append(missing, wanted)
		}
	}
	return kept, missing
}
