package load

import (
	"context"
	"io"
	"net/http"
	"strings"
)

// unrepeatableBody returns an empty body that cannot be read a second time. net/http
// repeats a request by itself if a kept-alive connection is lost, unless its body cannot
// be rewound (net/http, Transport). A GET request with an empty body is sent without
// one.
func unrepeatableBody() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// send sends one request and records its outcome.
func (g *Generator) send(ctx context.Context, transport *http.Transport, i int) {
	ctx, cancel := context.WithTimeout(ctx, g.cfg.Timeout)
	defer cancel()
	if g.urlErr != nil {
		g.record(i, Other, 0, "")
		return
	}
	request := g.request.Clone(ctx)
	request.Body = unrepeatableBody()
	response, err := transport.RoundTrip(request)
	if err != nil {
		g.record(i, lost(err), 0, "")
		return
	}
	defer func() { _ = response.Body.Close() }() // read to its end, or useless
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
	}
	kind, target := answered(response.StatusCode), ""
	if err != nil {
		kind = lost(err)
	} else if g.cfg.Target != nil {
		target = g.cfg.Target(response, body)
	}
	g.record(i, kind, response.StatusCode, target)
}
