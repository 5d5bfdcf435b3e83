package cloudwatch

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/wire"
)

// token marks the start of the next page of a request's results.
type token struct {
	Request string `json:"r"` // hash of the request, so that the token fits no other
	Offset  int    `json:"o"`
}

// newToken returns the token for a request, given without its own token.
func newToken(request any, offset int) token {
	text, _ := json.Marshal(request) // the SDK's inputs always encode
	sum := sha256.Sum256(text)
	return token{base64.RawURLEncoding.EncodeToString(sum[:12]), offset}
}

func (t token) String() string {
	text, _ := json.Marshal(t) // a token always encodes
	return base64.RawURLEncoding.EncodeToString(text)
}

// offset returns where the page starts that the given token marks, or 0 without a
// token. It refuses tokens of other requests.
func (t token) offset(given *string) (int, error) {
	if aws.ToString(given) == "" {
		return 0, nil
	}
	var parsed token
	text, err := base64.RawURLEncoding.DecodeString(*given)
	if err == nil {
		err = json.Unmarshal(text, &parsed)
	}
	if err != nil || parsed.Request != t.Request || parsed.Offset < 0 {
		return 0, wire.Errorf("InvalidNextToken", "The next token specified is invalid.")
	}
	return parsed.Offset, nil
}

// pageRows returns a page of sorted rows. request is the request without its
// token, defaultSize the page size if the request has none.
func pageRows[T any](
	rows []T, request any, given *string, size *int32, defaultSize int,
) (out []T, next *string, err error) {
	if err := model.Between("maxRecords", size, 1, maxAlarmPage); err != nil {
		return nil, nil, err
	}
	limit := defaultSize
	if size != nil {
		limit = int(*size)
	}
	start, err := newToken(request, 0).offset(given)
	if err != nil {
		return nil, nil, err
	}
	rows = rows[min(start, len(rows)):]
	if len(rows) > limit {
		return rows[:limit], aws.String(newToken(request, start+limit).String()), nil
	}
	return rows, nil, nil
}
