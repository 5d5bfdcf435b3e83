// Package sns serves Amazon SNS for the local cloud: topics, subscriptions of email
// addresses and webhooks, and messages. Its facts about responses, limits and errors are
// from the Amazon SNS API Reference and from recorded responses. FIFO topics,
// encryption, mobile push and text messages are not supported.
package sns

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/api/page"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Config holds an API's dependencies.
type Config struct {
	Store *store.Store
	IDs   *identity.Source // of random ids if nil
	Now   func() time.Time // time.Now if nil
}

// API implements the operations.
type API struct{ Config }

// Unsigned are the operations that the links in messages call.
var Unsigned = []string{"ConfirmSubscription", "Unsubscribe"}

// New returns the API.
func New(c Config) *API {
	if c.IDs == nil {
		c.IDs = identity.New(nil)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &API{c}
}

// pageSize is the size of all pages (Amazon SNS API Reference, ListTopics).
const pageSize = 100

const pages page.Prefix = "sns:"

// pageOf returns a page of rows, which must be in the order of their keys.
func pageOf[R any](rows []R, token *string, key func(R) string) (out []R, next *string, err error) {
	last, ok := pages.Last(token)
	if !ok {
		return nil, nil, invalid("NextToken")
	}
	out, next = page.First(pages, page.After(rows, last, key), pageSize, key)
	return out, next, nil
}

// invalid returns the error for an invalid parameter. why names the parameter and, after
// "Reason:", what is wrong with it.
func invalid(why string) error { return wire.Errorf("InvalidParameter", "Invalid parameter: %s", why) }

func notFound(what string) error {
	return &wire.Error{Code: "NotFound", Message: what + " does not exist", Status: http.StatusNotFound}
}

// checkARN refuses what is not an ARN of Amazon SNS with a number of parts.
func checkARN(parameter string, arn *string, parts int) error {
	fields := strings.Split(aws.ToString(arn), ":")
	if len(fields) < 6 || fields[0] != "arn" || fields[2] != "sns" {
		return invalid(parameter)
	}
	if len(fields) != parts {
		return invalid(parameter + " Reason: it is not the ARN of such a resource")
	}
	return nil
}

// topic returns a topic of the caller's region: of its account, or one that is shared with the caller.
func topic(ctx context.Context, r store.Reader, parameter string, arn *string) (*store.Topic, error) {
	if err := checkARN(parameter, arn, 6); err != nil {
		return nil, err
	}
	row, ok := store.Topics.Get(r, *arn)
	if !ok || row.Region.Name() != wire.RegionFrom(ctx).Name() || !wire.MayUse(ctx, row.Region.Account(), row.ARN) {
		return nil, notFound("Topic")
	}
	return row, nil
}
