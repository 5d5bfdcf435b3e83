package ec2

import (
	"encoding/base64"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of MaxResults (Amazon EC2 API Reference, Pagination).
const (
	minResults = 5
	maxResults = 1000
)

// tokenMark begins every token before it is encoded, so that only ours pass.
const tokenMark = "ec2-after:"

// page is the part of a list that a request asks for.
type page struct {
	max   *int32
	token *string
}

// check refuses impossible pages. named tells whether the request names what
// it wants one by one, which does not go with a page size.
func (p page) check(idParameter string, named bool) error {
	if p.max == nil {
		return nil
	}
	switch n := *p.max; {
	case named:
		return wire.Errorf(
			"InvalidParameterCombination", "The parameter %s cannot be used with the parameter maxResults", idParameter,
		)
	case n < minResults:
		return wire.Errorf(
			"InvalidParameterValue",
			"Value ( %d ) for parameter maxResults is invalid. Expecting a value greater than %d.",
			n,
			minResults,
		)
	case n > maxResults:
		return wire.Errorf(
			"InvalidParameterValue",
			"Value ( %d ) for parameter maxResults is invalid. Expecting a value smaller than %d.",
			n,
			maxResults,
		)
	}
	return nil
}

// cut returns the page of rows, which are in the order of their keys, and the
// token of the next one. A token names the last row seen, so rows that come or
// go in between neither repeat nor hide others.
func cut[R any](p page, rows []R, key func(R) string) ([]R, *string, error) {
	return cutGroups(p, rows, key, key)
}

// cutGroups is cut for rows that belong together: those of a group, which follow
// each other, are on one page unless the group is larger than a page.
func cutGroups[R any](p page, rows []R, key, group func(R) string) ([]R, *string, error) {
	if token := aws.ToString(p.token); token != "" {
		last, err := base64.RawURLEncoding.DecodeString(token)
		after, ours := strings.CutPrefix(string(last), tokenMark)
		if err != nil || !ours {
			return nil, nil, wire.Errorf("InvalidNextToken", "The token '%s' is invalid.", token)
		}
		for len(rows) > 0 && key(rows[0]) <= after {
			rows = rows[1:]
		}
	}
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
	next := base64.RawURLEncoding.EncodeToString([]byte(tokenMark + key(rows[end-1])))
	return rows[:end], &next, nil
}
