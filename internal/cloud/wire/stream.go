package wire

import (
	"encoding/json"
	"net/http"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// Stream serves requests of one path that become connections, which are no operations of an
// API. They are presigned and authenticated like operations.
type Stream struct {
	Service string // in the scope of signatures
	// Serve serves a request, whose context has the caller. It returns an error instead of
	// sending a response.
	Serve func(w http.ResponseWriter, r *http.Request) error
}

// serveStream serves a request that becomes a connection, and sends errors as EC2 Instance
// Connect does.
func (h *handler) serveStream(w http.ResponseWriter, r *http.Request, x *exchange, stream Stream) {
	started := time.Now()
	x.operation = r.URL.Path
	err := h.openStream(w, r, x, stream)
	var refusal *Error
	if err != nil {
		refusal = h.publicError(r.Context(), x, err)
		body, _ := json.Marshal(map[string]string{"ErrorCode": refusal.Code, "Message": refusal.Message})
		(&response{status: refusal.status(), contentType: "application/json", body: body}).send(w, x.id)
	}
	h.logRequest(r.Context(), x, refusal, time.Since(started))
}

func (h *handler) openStream(w http.ResponseWriter, r *http.Request, x *exchange, stream Stream) error {
	if err := h.refuse(r, false); err != nil {
		return err
	}
	if err := x.claim.parse(r); err != nil {
		return err
	}
	if x.claim.service != stream.Service {
		return incompleteSignature("The credential must be scoped to the service " + stream.Service + ".")
	}
	if err := h.authenticate(r, x); err != nil {
		return err
	}
	w.Header().Set("x-amzn-RequestId", x.id)
	return stream.Serve(w, r.WithContext(WithCaller(r.Context(), h.caller(r, x))))
}

// region returns the region of an authenticated request.
func (x *exchange) region() identity.Region { return identity.RegionOf(x.account, x.claim.region) }

// caller describes who sent an authenticated request.
func (h *handler) caller(r *http.Request, x *exchange) Caller {
	return Caller{
		AccessKeyID: x.claim.accessKey,
		Principal:   x.principal,
		Region:      x.region(),
		RequestID:   x.id,
		SourceIP:    sourceIP(r),
		UserAgent:   r.UserAgent(),
		TLS:         r.TLS != nil,
		Endpoint:    endpointOf(r),
	}
}
