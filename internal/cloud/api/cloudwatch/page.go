package cloudwatch

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/wire"
)

// token marks where the next page of the answer to a request begins.
type token struct {
	Request string `json:"r"` // what was asked for, so that it cannot be used elsewhere
	Offset  int    `json:"o"`
}

// newToken is the token for the request without its own token.
func newToken(request any, offset int) token {
	text, _ := json.Marshal(request) // the SDK's inputs have a JSON form
	sum := sha256.Sum256(text)
	return token{base64.RawURLEncoding.EncodeToString(sum[:12]), offset}
}

func (t token) String() string {
	text, _ := json.Marshal(t) // it has a JSON form
	return base64.RawURLEncoding.EncodeToString(text)
}

// offset reads where a page begins: given is the request's token, if any.
func (t token) offset(given *string) (int, error) {
	if aws.ToString(given) == "" {
		return 0, nil
	}
	var said token
	text, err := base64.RawURLEncoding.DecodeString(*given)
	if err == nil {
		err = json.Unmarshal(text, &said)
	}
	if err != nil || said.Request != t.Request || said.Offset < 0 {
		return 0, wire.Errorf("InvalidNextToken", "The next token specified is invalid.")
	}
	return said.Offset, nil
}

// page cuts a page out of sorted rows. request is the request without its token.
func pageRows[T any](rows []T, request any, given *string, size *int32, usual int) (out []T, next *string, err error) {
	if size != nil && (*size < 1 || *size > maxAlarmPage) {
		return nil, nil, model.OutOfRange("maxRecords", *size, 1, maxAlarmPage)
	}
	if size != nil {
		usual = int(*size)
	}
	start, err := newToken(request, 0).offset(given)
	if err != nil {
		return nil, nil, err
	}
	rows = rows[min(start, len(rows)):]
	if len(rows) > usual {
		return rows[:usual], aws.String(newToken(request, start+usual).String()), nil
	}
	return rows, nil, nil
}
