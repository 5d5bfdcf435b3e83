// Package acm answers AWS Certificate Manager for the local cloud: certificates
// that users import, which listeners of load balancers then use. There is no
// certificate authority here, so RequestCertificate and what belongs to it are
// not offered. Facts about answers, limits and errors: AWS Certificate Manager
// API Reference and User Guide, Importing certificates.
//
// A private key comes in by ImportCertificate and no operation tells it. It is
// kept in a row of the store, whose file only its owner can read.
package acm

import (
	"time"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
)

// Config is what the API works with.
type Config struct {
	Store *store.Store
	Now   func() time.Time // nil: time.Now
}

// API serves the operations of AWS Certificate Manager.
type API struct{ Config }

// New makes the API.
func New(c Config) *API {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &API{c}
}

// model refuses what breaks the API's model.
const model = constraint.Model("ValidationException")
