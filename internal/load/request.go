package load

import (
	"context"
	"errors"
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
	response, err := roundTrip(g.request.Clone(ctx), transport)
	if err == nil && g.cfg.Follow {
		response, err = follow(ctx, response, transport)
	}
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

// roundTrip sends a request at most once.
func roundTrip(request *http.Request, transport *http.Transport) (*http.Response, error) {
	request.Body = unrepeatableBody()
	return transport.RoundTrip(request)
}

// follow returns the answer to the request to which a response redirects, or the response
// itself if it does not redirect.
func follow(ctx context.Context, response *http.Response, transport *http.Transport) (*http.Response, error) {
	to, err := response.Location()
	if errors.Is(err, http.ErrNoLocation) {
		return response, nil
	}
	_, readErr := io.Copy(io.Discard, io.LimitReader(response.Body, maxBody))
	if err := errors.Join(err, readErr, response.Body.Close()); err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, to.String(), nil)
	if err != nil {
		return nil, err
	}
	return roundTrip(request, transport)
}
