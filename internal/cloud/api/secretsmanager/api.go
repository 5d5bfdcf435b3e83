// Package secretsmanager serves AWS Secrets Manager for the local cloud. Limits, errors
// and the contents of responses are those of the AWS Secrets Manager API Reference and
// User Guide. Values are sealed at rest (package seal).
//
// The local cloud has no functions that rotate secrets, and no replicas.
package secretsmanager

import (
	"context"
	"io"
	"time"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/seal"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Config configures an API.
type Config struct {
	Store  *store.Store
	Key    *seal.Key        // seals the values of secrets
	Now    func() time.Time // nil: time.Now
	Random io.Reader        // of passwords and ARNs; nil: crypto/rand
}

// API implements the operations of Secrets Manager.
type API struct {
	Config
	random *identity.Source
}

// New returns an API.
func New(c Config) *API {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &API{Config: c, random: identity.New(c.Random)}
}

// model returns the errors of requests that violate the API's model.
const model = constraint.Model("ValidationException")

// invalid returns the errors of parameters that are invalid beyond the model.
const invalid = constraint.Model("InvalidParameterException")

// change runs an operation that writes to the store. It first removes the secrets of the
// region whose recovery windows have ended. The region is that of the secret with an id, nil for a new one.
func (a *API) change(ctx context.Context, id *string, do func(tx *store.Tx, region identity.Region) error) error {
	region := regionFor(ctx, id)
	return a.Store.Update(func(tx *store.Tx) error {
		for _, row := range store.Secrets.InRegion(tx, region) {
			if a.isGone(row) {
				store.Secrets.Delete(tx, store.SecretKey(row.Region, row.Name))
			}
		}
		return do(tx, region)
	})
}

// edit changes the secret with an id, which must not be marked for deletion.
func (a *API) edit(ctx context.Context, id *string, do func(row *store.Secret) error) error {
	return a.change(ctx, id, func(tx *store.Tx, region identity.Region) error {
		old, err := a.findInUse(tx, region, id)
		if err != nil {
			return err
		}
		row := *old
		if err := do(&row); err != nil {
			return err
		}
		store.Secrets.Put(tx, &row)
		return nil
	})
}

// unsupported refuses a parameter of a feature that the local cloud does not have.
func unsupported(parameter string, given bool) error {
	if !given {
		return nil
	}
	return wire.NotImplemented("the parameter %s of Secrets Manager", parameter)
}
