// Package page divides the rows of a list into pages.
//
// A page's token names the last row of the page. Rows that are created or
// deleted between two requests therefore neither repeat nor hide others.
package page

import (
	"encoding/base64"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Prefix starts each token of a service before the token is encoded, so that
// the service can refuse tokens that it did not issue.
type Prefix string

// Token returns the token of the page after the row with the key last.
func (p Prefix) Token(last string) *string {
	token := base64.RawURLEncoding.EncodeToString([]byte(string(p) + last))
	return &token
}

// Last returns the key in a token, which is empty for the first page: if the
// token is nil or empty. ok reports whether the service can have issued the
// token.
func (p Prefix) Last(token *string) (key string, ok bool) {
	if aws.ToString(token) == "" {
		return "", true
	}
	text, err := base64.RawURLEncoding.DecodeString(*token)
	if err != nil {
		return "", false
	}
	return strings.CutPrefix(string(text), string(p))
}

// After returns the rows with keys greater than last. Rows must be in the order
// of their keys.
func After[R any](rows []R, last string, key func(R) string) []R {
	for len(rows) > 0 && last != "" && key(rows[0]) <= last {
		rows = rows[1:]
	}
	return rows
}

// First returns the first size rows and the token of the next page, which is
// nil if there are no more rows.
func First[R any](p Prefix, rows []R, size int, key func(R) string) (first []R, next *string) {
	if len(rows) <= size {
		return rows, nil
	}
	return rows[:size], p.Token(key(rows[size-1]))
}
