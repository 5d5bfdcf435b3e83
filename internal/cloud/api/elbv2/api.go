// Package elbv2 answers the Elastic Load Balancing API, version 2015-12-01, for
// Application Load Balancers: it validates, writes what is wanted into the
// store and tells what is there. The load balancers' loop does the rest.
package elbv2

import (
	"context"
	"io"
	"net/netip"
	"time"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Config is what an API needs.
type Config struct {
	Store       *store.Store
	Now         func() time.Time // nil: time.Now
	Random      io.Reader        // source of ids; nil: crypto/rand.Reader
	PublicRange netip.Prefix     // of the nodes' public addresses
	DNSSuffix   string           // of load balancers' names after the region; empty: "elb.localhost"
}

// API has a method for every operation that the local cloud offers, with the
// signature of the SDK's client. Its errors are *wire.Error where AWS has one.
type API struct {
	store  *store.Store
	now    func() time.Time
	ids    *identity.Source
	public netip.Prefix
	suffix string
}

// New returns the API.
func New(c Config) *API {
	a := &API{store: c.Store, now: c.Now, ids: identity.New(c.Random), public: c.PublicRange, suffix: c.DNSSuffix}
	if a.now == nil {
		a.now = time.Now
	}
	if a.suffix == "" {
		a.suffix = "elb.localhost"
	}
	return a
}

func region(ctx context.Context) string { return wire.CallerFrom(ctx).Region }

func arn(region, resource string) string {
	return identity.ARN("elasticloadbalancing", region, resource)
}

// model refuses what breaks the API's model.
const model = constraint.Model("ValidationError")

// invalid is the answer to a parameter with a wrong value.
func invalid(format string, args ...any) error {
	return wire.Errorf("ValidationError", format, args...)
}

// update runs a change and returns what it returned.
func update[T any](a *API, change func(tx *store.Tx) (T, error)) (T, error) {
	var out T
	err := a.store.Update(func(tx *store.Tx) (err error) {
		out, err = change(tx)
		return err
	})
	return out, err
}
