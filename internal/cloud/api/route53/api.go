// Package route53 serves Amazon Route 53 for the local cloud: hosted zones and their
// records. The resolvers of all VPCs answer for public zones, under which load balancers
// are reached, and those of its VPCs for a private zone. Limits, errors and the contents
// of responses are those of the Amazon Route 53 API Reference and Developer Guide.
//
// Health checks, routing by location and DNSSEC are refused by name.
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

// findZone returns the caller's zone with an id, with or without the prefix that ids have in
// responses.
func findZone(ctx context.Context, r store.Reader, id *string) (*store.HostedZone, error) {
	zone, err := anyZone(r, id)
	if err == nil && zone.Region != wire.GlobalFrom(ctx) {
		return nil, &wire.Error{
			Code: "AccessDenied", Message: "User is not authorized to access this resource",
			Status: http.StatusForbidden,
		}
	}
	return zone, err
}

// anyZone returns the zone with an id, whoever's it is.
func anyZone(r store.Reader, id *string) (*store.HostedZone, error) {
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
	return zone, nil
}
