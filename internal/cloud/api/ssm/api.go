// Package ssm serves AWS Systems Manager for the local cloud: Parameter Store and Run
// Command. Limits, errors and the contents of responses are those of the AWS Systems Manager
// API Reference and User Guide. Package ec2messages serves the agents that run commands.
//
// Parameters below SecretsPath stand for secrets of Secrets Manager. Those below
// /aws/service/ are public: Config.EnsureRegion creates them, and users can only read
// them.
package ssm

import (
	"context"
	"time"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/seal"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Config configures an API.
type Config struct {
	Store   *store.Store
	Key     *seal.Key        // seals the values of SecureString parameters
	Now     func() time.Time // nil: time.Now
	Secrets Secrets          // what parameters below SecretsPath stand for; nil: nothing
	// EnsureRegion prepares a region on its first use and creates its public
	// parameters; nil: does nothing.
	EnsureRegion func(region identity.Region) error
}

// API implements the operations of Parameter Store and Run Command.
type API struct {
	Config
	random *identity.Source
}

// New returns an API.
func New(cfg Config) *API {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.EnsureRegion == nil {
		cfg.EnsureRegion = func(identity.Region) error { return nil }
	}
	return &API{Config: cfg, random: identity.New(nil)}
}

// read returns a view of the store and the caller's region.
func (a *API) read(ctx context.Context) (store.Reader, identity.Region, error) {
	region := wire.RegionFrom(ctx)
	if err := a.EnsureRegion(region); err != nil {
		return nil, "", err
	}
	return a.Store.Read(ctx), region, nil
}

// change runs an operation that writes to the store.
func (a *API) change(ctx context.Context, do func(tx *store.Tx, region identity.Region) error) error {
	region := wire.RegionFrom(ctx)
	if err := a.EnsureRegion(region); err != nil {
		return err
	}
	return a.Store.Update(func(tx *store.Tx) error { return do(tx, region) })
}

// model returns the errors of requests that violate the API's model.
const model = constraint.Model("ValidationException")

// unsupported returns the error for a feature of AWS that the local cloud does not
// have.
func unsupported(what string) error {
	return wire.Errorf("UnsupportedOperation", "aloft's local cloud does not support %s", what)
}
