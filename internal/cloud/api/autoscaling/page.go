package autoscaling

import (
	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/api/page"
	"aloft.dev/aloft/internal/cloud/wire"
)

// pageTokens starts the tokens of the API's pages.
const pageTokens page.Prefix = "asg-after:"

// pageRequest is the part of a list that a request asks for.
type pageRequest struct {
	max      *int32
	token    *string
	standard int32 // rows on a page if max is nil
	most     int32 // largest max
}

// paginate returns the requested page of rows and the token of the next one.
// Rows must be in the order of their keys.
func paginate[R any](p pageRequest, rows []R, key func(R) string) ([]R, *string, error) {
	if err := model.Between("maxRecords", p.max, 1, p.most); err != nil {
		return nil, nil, err
	}
	last, ok := pageTokens.Last(p.token)
	if !ok {
		return nil, nil, wire.Errorf("InvalidNextToken", "The token '%s' is invalid.", *p.token)
	}
	rows, next := page.First(pageTokens, page.After(rows, last, key), int(constraint.Default(p.max, p.standard)), key)
	return rows, next, nil
}
