// Package acm serves AWS Certificate Manager for the local cloud: certificates for the
// listeners of load balancers, which users import, or request with validation by DNS.
// Limits, errors and the contents of responses are those of the AWS Certificate Manager
// API Reference and User Guide.
//
// No operation returns a private key. Keys are kept in the store, whose file only its
// owner can read.
package acm

import (
	"time"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
)

// Config configures an API.
type Config struct {
	Store   *store.Store
	Manners *manners.Set     // nil: nothing takes its time
	Now     func() time.Time // nil: time.Now
}

// API implements the operations of AWS Certificate Manager.
type API struct{ Config }

// New returns an API.
func New(c Config) *API {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &API{c}
}

// model returns the errors of requests that violate the API's model.
const model = constraint.Model("ValidationException")
