// Package iam serves AWS Identity and Access Management for the local cloud: users with their
// access keys, groups, roles, instance profiles, policies and server certificates. Besides the
// users that clients create, each account has one whose access key the local cloud makes
// itself. Limits, errors and the contents of
// responses are those of the IAM API Reference and the IAM User Guide, "IAM and AWS STS
// quotas".
package iam

import (
	"context"
	"crypto/rand"
	"io"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/seal"
	"aloft.dev/aloft/internal/cloud/session"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Config configures an API.
type Config struct {
	Store  *store.Store
	Keys   *session.Issuer  // makes the access keys of users; nil: users can have none
	Seal   *seal.Key        // of the secrets of access keys and second factors; nil: a random one
	Now    func() time.Time // nil: time.Now
	Random io.Reader        // source of ids and secrets; nil: crypto/rand
}

// API implements the operations of IAM.
type API struct {
	Config
	ids *identity.Source
}

// New returns an API.
func New(c Config) *API {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Seal == nil {
		c.Seal = seal.NewRandomKey()
	}
	ids := identity.New(c.Random)
	if c.Random == nil {
		c.Random = rand.Reader
	}
	return &API{Config: c, ids: ids}
}

// now returns the time as IAM records it: in seconds.
func (a *API) now() time.Time { return a.Now().UTC().Truncate(time.Second) }

// arn returns the ARN of a resource of a kind, such as "role".
func arn(ctx context.Context, kind, path, name string) string {
	return identity.ARN("iam", wire.GlobalFrom(ctx), kind+path+name)
}
