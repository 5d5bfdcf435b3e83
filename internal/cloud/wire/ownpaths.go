package wire

import (
	"bytes"
	"io"
	"net/http"

	"aloft.dev/aloft/internal/cloud/identity"
)

// ownPaths begins the paths that are not AWS's.
const ownPaths = "/_aloft/"

// OwnService is the service in the scope of signatures of requests that are not AWS's.
const OwnService = "aloft"

// serveOwn handles a request that is not AWS's, of the local cloud's own account itself: no
// policy allows it.
func (h *handler) serveOwn(r *http.Request, x *exchange) (*response, error) {
	if err := h.refuse(r, false); err != nil {
		return nil, err
	}
	if err := x.claim.parse(r); err != nil {
		return nil, err
	}
	if x.claim.service != OwnService {
		return nil, incompleteSignature("The credential must be scoped to the service " + OwnService + ".")
	}
	if err := h.authenticate(r, x); err != nil {
		return nil, err
	}
	if !x.principal.Owner() || x.region().Account() != identity.Account {
		return nil, forbidden("Only the local cloud's own access key may do this.")
	}
	x.operation = r.URL.Path
	r.Body = io.NopCloser(bytes.NewReader(x.body))
	answer := &ownResponse{header: http.Header{}, status: http.StatusOK}
	h.Fallback.ServeHTTP(answer, r)
	return &response{
		status: answer.status, contentType: answer.header.Get("Content-Type"), body: answer.body.Bytes(),
	}, nil
}

// ownResponse collects a response.
type ownResponse struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *ownResponse) Header() http.Header         { return a.header }
func (a *ownResponse) WriteHeader(status int)      { a.status = status }
func (a *ownResponse) Write(p []byte) (int, error) { return a.body.Write(p) }
