// Package bufferedbody lets AWS's SDK speak to a cloud that is near.
package bufferedbody

import (
	"bytes"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Client sends requests with bodies that net/http knows to be in memory, so that
// it sends head and body at once and is done. Of the SDK's own bodies it looks for
// the end after it has sent them. A near cloud's answer may be there before: the
// SDK closes the body then, the look for its end fails, and net/http closes the
// connection, with what has not been read of the answer yet (net/http,
// transferWriter.writeBody; smithy-go, safeWriteToReadCloser.WriteTo). The SDK
// would try again, after up to a second, or fail.
type Client struct{ aws.HTTPClient }

// Do sends a request and returns its response.
func (c Client) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return c.HTTPClient.Do(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read the body to send: %w", err)
	}
	sent := r.Clone(r.Context())
	sent.Body = io.NopCloser(bytes.NewReader(body))
	return c.HTTPClient.Do(sent)
}
