// Package ec2 answers Amazon EC2 for the local cloud: networks, firewalls,
// keys, machines, images and their tags.
//
// A handler validates a request, writes what is wanted in one transaction of
// the store and answers; it never touches the kernel. Facts about answers,
// limits and errors: Amazon EC2 API Reference, Amazon VPC User Guide.
package ec2

import (
	"context"
	"io"
	"net/netip"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// Config is what the API works with.
type Config struct {
	Store       *store.Store
	Now         func() time.Time // time.Now if nil
	Random      io.Reader        // of ids and keys; crypto/rand if nil
	PublicRange netip.Prefix     // of public addresses
	Images      []BaseImage      // public images of every region

	// Console reads an instance's console, as its machine has written it.
	Console func(ctx context.Context, instanceID string) ([]byte, error)
}

// BaseImage is a public image that every region offers.
type BaseImage struct {
	Base         string // how the image is built: "debian-12"
	Name         string // "debian-12-amd64-20261101-1234"
	Description  string
	Owner        string // account id: "136693071363"
	Architecture string // "x86_64"
	RootDevice   string // "/dev/xvda"
	SizeGiB      int32
	Parameter    string // SSM public parameter that holds the image's id
}

// API serves the operations of Amazon EC2.
type API struct {
	Config
	ids *identity.Source
}

// New makes the API.
func New(cfg Config) *API {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &API{Config: cfg, ids: identity.New(cfg.Random)}
}

// resourceARN is the ARN of a resource of EC2.
func resourceARN(regionName, kind, id string) string {
	return identity.ARN("ec2", regionName, kind+"/"+id)
}
