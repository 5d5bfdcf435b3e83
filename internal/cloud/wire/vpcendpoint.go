package wire

import (
	"context"
	"net/http"
)

// Endpoint is the VPC endpoint by which a request came. The zero Endpoint is none.
type Endpoint struct {
	ID, VPC         string
	Service, Region string // the only ones that it leads to, as in the scope of signatures
}

type endpointKey struct{}

// WithEndpoint returns a context for requests that came by an endpoint over TLS. They may have any host
// name, because the endpoint has a certificate for its own names alone.
func WithEndpoint(ctx context.Context, e Endpoint) context.Context {
	return context.WithValue(ctx, endpointKey{}, e)
}

func endpointOf(r *http.Request) Endpoint {
	e, _ := r.Context().Value(endpointKey{}).(Endpoint)
	return e
}

// checkEndpoint refuses an authenticated request to which its endpoint does not lead.
func (x *exchange) checkEndpoint(e Endpoint) error {
	scope := x.claim
	switch {
	case e.ID == "":
		return nil
	case scope.service != e.Service:
		return misdirected("Credential should be scoped to correct service: '" + e.Service + "'. ")
	case scope.region != "" && scope.region != e.Region: // a request without a signature has none
		return misdirected("Credential should be scoped to a valid region, not '" + scope.region + "'. ")
	}
	return nil
}

func misdirected(why string) *Error {
	return &Error{Code: "SignatureDoesNotMatch", Message: why, Status: http.StatusForbidden}
}
