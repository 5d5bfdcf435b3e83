package load

import (
	"context"
	"io"
	"net/http"
	"strings"
)

// once is an empty body that cannot be had a second time. A request without a
// body, or with one that can be had again, is one that net/http sends anew on
// its own when a connection that was kept alive is lost (net/http, Transport);
// with this one it does not. Nothing of it is sent: GET with an empty body goes
// out without one.
func once() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// send makes one request and writes down what became of it.
func (g *Generator) send(ctx context.Context, browser *http.Transport, i int) {
	ctx, cancel := context.WithTimeout(ctx, g.cfg.Timeout)
	defer cancel()
	if g.broken != nil {
		g.end(i, Other, 0, "")
		return
	}
	request := g.requested.Clone(ctx)
	request.Body = once()
	response, err := browser.RoundTrip(request)
	if err != nil {
		g.end(i, lost(err), 0, "")
		return
	}
	defer func() { _ = response.Body.Close() }() // it was read, or is of no more use
	body, err := io.ReadAll(io.LimitReader(response.Body, mostBody))
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
	}
	kind, target := answered(response.StatusCode), ""
	if err != nil {
		kind = lost(err)
	} else if g.cfg.Target != nil {
		target = g.cfg.Target(response, body)
	}
	g.end(i, kind, response.StatusCode, target)
}
