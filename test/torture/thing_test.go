//go:build linux

package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"aloft.dev/aloft/internal/cloud/store"
)

// thing is something that one client changes by calls. It is in one of a few states, and a
// call moves it to another one, wholly or not at all.
type thing struct {
	kind
	name string
	id   string   // of the resource, once it was observed
	want []string // states that the answers so far allow: two after an unanswered call
}

// kind is a kind of things. A state that observe returns and that no step leads to is one
// that was reached by half.
type kind interface {
	observe(view store.Reader, t *thing) string
	steps(state string) []step
}

// step moves a thing to a state.
type step struct {
	to   string
	call func(ctx context.Context, a *api, t *thing) error
}

const absent = "absent"

// refused reports whether a call was answered with an error of the client, so that it
// changed nothing.
func refused(err error) bool {
	var failure smithy.APIError
	var response *smithyhttp.ResponseError
	return errors.As(err, &failure) && errors.As(err, &response) &&
		response.HTTPStatusCode() < http.StatusInternalServerError
}

// churn changes things until ctx ends or an answer is missing. It returns the number of
// calls that succeeded.
func churn(ctx context.Context, random *rand.Rand, a *api, things []*thing) (answered int) {
	for ctx.Err() == nil {
		t := things[random.IntN(len(things))]
		state := t.want[0]
		possible := t.steps(state)
		if len(possible) == 0 {
			continue
		}
		next := possible[random.IntN(len(possible))]
		err := next.call(ctx, a, t)
		switch {
		case err == nil:
			t.want = []string{next.to}
			answered++
		case !refused(err):
			t.want = []string{state, next.to}
			return answered
		}
	}
	return answered
}

// check compares what a view holds with what the answers allow, and takes it as the state
// from which the thing goes on.
func (t *thing) check(view store.Reader) error {
	found, want := t.observe(view, t), t.want
	t.want = []string{found}
	if slices.Contains(want, found) {
		return nil
	}
	return fmt.Errorf("%s is %q, want %q", t.name, found, want)
}
