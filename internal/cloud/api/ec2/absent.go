package ec2

import (
	"context"

	"aloft.dev/aloft/internal/cloud/wire"
)

// absent is a question about resources of a type that the local cloud has none of, because no
// operation of it makes one. Clients ask such questions in passing, and the truthful answer
// is an empty list. An id that a request names does not exist.
type absent struct {
	dryRun     *bool
	ids        []string
	code, text string // of the error for an id; the message is the text and the id
	token      *string
}

// none answers the question with no error, unless it names what it would have to find.
func (a *API) none(ctx context.Context, q absent) error {
	if _, _, err := a.read(ctx, q.dryRun); err != nil {
		return err
	}
	if len(q.ids) > 0 {
		return wire.Errorf(q.code, "%s '%s' does not exist", q.text, q.ids[0])
	}
	if q.token != nil {
		return wire.Errorf("InvalidNextToken", "The token '%s' is invalid.", *q.token)
	}
	return nil
}
