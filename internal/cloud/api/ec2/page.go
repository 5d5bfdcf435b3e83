package ec2

import (
	"aloft.dev/aloft/internal/cloud/api/page"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of MaxResults (Amazon EC2 API Reference, Pagination).
const (
	minResults = 5
	maxResults = 1000
)

// pageTokens starts the tokens of the API's pages.
const pageTokens page.Prefix = "ec2-after:"

// pageRequest is the part of a list that a request asks for.
type pageRequest struct {
	max   *int32
	token *string
}

// check refuses page sizes outside of EC2's limits. named reports whether the request names
// resources by their ids, which excludes a page size.
func (p pageRequest) check(idParameter string, named bool) error {
	return p.checkFrom(minResults, idParameter, named)
}

// checkFrom is check for an operation with another smallest page.
func (p pageRequest) checkFrom(smallest int32, idParameter string, named bool) error {
	if p.max == nil {
		return nil
	}
	switch n := *p.max; {
	case named:
		return wire.Errorf(
			"InvalidParameterCombination", "The parameter %s cannot be used with the parameter maxResults", idParameter,
		)
	case n < smallest:
		return wire.Errorf(
			"InvalidParameterValue",
			"Value ( %d ) for parameter maxResults is invalid. Expecting a value greater than %d.", n, smallest,
		)
	case n > maxResults:
		return wire.Errorf(
			"InvalidParameterValue",
			"Value ( %d ) for parameter maxResults is invalid. Expecting a value smaller than %d.", n, maxResults,
		)
	}
	return nil
}

// paginate returns the requested page of rows and the token of the next one.
// Rows must be in the order of their keys.
func paginate[R any](p pageRequest, rows []R, key func(R) string) ([]R, *string, error) {
	return paginateGroups(p, rows, key, key)
}

// paginateGroups is paginate for rows in groups. Rows of one group are adjacent
// and stay on one page unless the group is larger than a page.
func paginateGroups[R any](p pageRequest, rows []R, key, group func(R) string) ([]R, *string, error) {
	last, ok := pageTokens.Last(p.token)
	if !ok {
		return nil, nil, wire.Errorf("InvalidNextToken", "The token '%s' is invalid.", *p.token)
	}
	if p.max != nil && *p.max < 1 { // check refuses more, but not for every list
		return nil, nil, wire.Errorf("InvalidParameterValue",
			"Value ( %d ) for parameter maxResults is invalid. Expecting a value greater than 0.", *p.max)
	}
	rows = page.After(rows, last, key)
	if p.max == nil || int(*p.max) >= len(rows) {
		return rows, nil, nil
	}
	end := int(*p.max)
	for end > 0 && group(rows[end-1]) == group(rows[end]) {
		end--
	}
	if end == 0 {
		end = int(*p.max)
	}
	rows, next := page.First(pageTokens, rows, end, key)
	return rows, next, nil
}
