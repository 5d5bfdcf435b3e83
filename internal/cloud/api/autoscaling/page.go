package autoscaling

import (
	"encoding/base64"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/wire"
)

// tokenMark begins every token before it is encoded, so that only ours pass.
const tokenMark = "asg-after:"

// pageRequest is the part of a list that a request asks for.
type pageRequest struct {
	max      *int32
	token    *string
	standard int32 // how many a page has when the request does not say
	most     int32
}

// paginate returns the page of rows and the token of the next one. The rows are in
// the order of their keys. A token names the last row seen, so rows that come
// or go in between neither repeat nor hide others.
func paginate[R any](p pageRequest, rows []R, key func(R) string) ([]R, *string, error) {
	if err := model.Between("maxRecords", p.max, 1, p.most); err != nil {
		return nil, nil, err
	}
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
	size := int(constraint.Default(p.max, p.standard))
	if len(rows) <= size {
		return rows, nil, nil
	}
	rows = rows[:size]
	next := base64.RawURLEncoding.EncodeToString([]byte(tokenMark + key(rows[size-1])))
	return rows, &next, nil
}
