// Package bufferedbody provides an HTTP client that sends request bodies from
// memory, so that the AWS SDK can talk to an endpoint that responds within
// microseconds.
package bufferedbody

import (
	"bytes"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Client wraps an HTTP client and reads each request's body into memory before
// sending it.
//
// Without it, the SDK's own bodies race with fast responses. net/http sends such
// a body and then reads it once more to see that it ends. An endpoint on the same
// host may have responded by then, upon which the SDK closes the body; the read
// fails, and net/http closes the connection although part of the response is
// still unread (net/http, transferWriter.writeBody; smithy-go,
// safeWriteToReadCloser.WriteTo). The SDK would fail, or retry after up to a
// second. A body that net/http knows to be in memory is sent without that read.
type Client struct{ aws.HTTPClient }

// Do sends r and returns the response.
func (c Client) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return c.HTTPClient.Do(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read request body: %w", err)
	}
	buffered := r.Clone(r.Context())
	buffered.Body = io.NopCloser(bytes.NewReader(body))
	return c.HTTPClient.Do(buffered)
}
