package autoscaling

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/api/page"
	"aloft.dev/aloft/internal/cloud/wire"
)

// pageTokens starts the tokens of the API's pages.
const pageTokens page.Prefix = "asg-after:"

// pageRequest has a request's paging parameters and the operation's page sizes.
type pageRequest struct {
	maxRecords  *int32
	token       *string
	defaultSize int32
	maxSize     int32
}

// paginate returns the requested page of rows and the token of the next one, nil
// after the last. Rows must be in the order of their keys.
func paginate[R any](p pageRequest, rows []R, key func(R) string) ([]R, *string, error) {
	if err := model.Between("maxRecords", p.maxRecords, 1, p.maxSize); err != nil {
		return nil, nil, err
	}
	last, ok := pageTokens.Last(p.token)
	if !ok {
		return nil, nil, wire.Errorf("InvalidNextToken", "The token '%s' is invalid.", *p.token)
	}
	size := int(constraint.Default(p.maxRecords, p.defaultSize))
	rows, next := page.First(pageTokens, page.After(rows, last, key), size, key)
	return rows, next, nil
}

// sortedBy returns rows in the order of their keys.
func sortedBy[R any](rows []R, key func(R) string) []R {
	return slices.SortedFunc(slices.Values(rows), func(x, y R) int { return strings.Compare(key(x), key(y)) })
}

// newestFirst returns a key that sorts rows by descending time, then by ID.
func newestFirst(t time.Time, id string) string {
	return fmt.Sprintf("%020d %s", math.MaxInt64-t.UnixNano(), id)
}
