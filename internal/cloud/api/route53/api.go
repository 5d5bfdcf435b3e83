// Package route53 serves Amazon Route 53 for the local cloud: public hosted zones and
// their records, which the resolvers of all VPCs answer and under which load balancers
// are reached. Limits, errors and the contents of responses are those of the Amazon
// Route 53 API Reference and Developer Guide.
//
// Private zones, health checks, routing policies and DNSSEC are refused by name.
package route53

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Config configures an API.
type Config struct {
	Store   *store.Store
	Manners *manners.Set     // nil: changes are in sync at once
	Now     func() time.Time // nil: time.Now
	Random  io.Reader        // nil: crypto/rand
}

// API implements the operations of Amazon Route 53.
type API struct {
	Config
	ids *identity.Source
}

// New returns an API.
func New(c Config) *API {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &API{Config: c, ids: identity.New(c.Random)}
}

// model returns the errors of requests that violate the API's model.
const model = constraint.Model("InvalidInput")

// findZone returns the zone with an id, with or without the prefix that ids have in
// responses.
func findZone(ctx context.Context, r store.Reader, id *string) (*store.HostedZone, error) {
	if id == nil || *id == "" {
		return nil, model.Null("hostedZoneId")
	}
	plain := strings.TrimPrefix(strings.TrimPrefix(*id, "/"), "hostedzone/")
	zone, ok := store.HostedZones.Get(r, plain)
	if !ok {
		return nil, &wire.Error{
			Code: "NoSuchHostedZone", Message: "No hosted zone found with ID: " + plain, Status: http.StatusNotFound,
		}
	}
	if zone.Region != wire.GlobalFrom(ctx) {
		return nil, &wire.Error{
			Code: "AccessDenied", Message: "User is not authorized to access this resource",
			Status: http.StatusForbidden,
		}
	}
	return zone, nil
}
