// Package ssm answers the Parameter Store of AWS Systems Manager for the local
// cloud. Facts about answers, limits and errors: AWS Systems Manager API
// Reference and User Guide, Parameter Store.
//
// Parameters under /aws/service/ are AWS's own and public: whoever seeds a
// region puts them there, users can only read them.
package ssm

import (
	"context"
	"time"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Config is what the API works with.
type Config struct {
	Store *store.Store
	Now   func() time.Time // time.Now if nil
	// EnsureRegion seeds a region on its first use, with the public
	// parameters; nil does nothing.
	EnsureRegion func(region string) error
}

// API serves the operations of the Parameter Store.
type API struct{ Config }

// New makes the API.
func New(cfg Config) *API {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.EnsureRegion == nil {
		cfg.EnsureRegion = func(string) error { return nil }
	}
	return &API{cfg}
}

func (a *API) read(ctx context.Context) (store.Reader, string, error) {
	region := wire.RegionFrom(ctx)
	if err := a.EnsureRegion(region); err != nil {
		return nil, "", err
	}
	return a.Store.View(), region, nil
}

func (a *API) change(ctx context.Context, do func(tx *store.Tx, region string) error) error {
	region := wire.RegionFrom(ctx)
	if err := a.EnsureRegion(region); err != nil {
		return err
	}
	return a.Store.Update(func(tx *store.Tx) error { return do(tx, region) })
}

// model refuses what breaks the API's model.
const model = constraint.Model("ValidationException")

// unsupported refuses what AWS has and the local cloud has not.
func unsupported(what string) error {
	return wire.Errorf("UnsupportedOperation", "aloft's local cloud does not support %s", what)
}
