// Package ec2 serves the Amazon EC2 API of the local cloud: VPCs and their parts,
// security groups, key pairs, instances, images and tags.
//
// A handler validates a request, writes the desired state in one transaction of the
// store and responds. It never touches the kernel. Limits, errors and the contents of
// responses are those of the Amazon EC2 API Reference and the Amazon VPC User Guide.
package ec2

import (
	"context"
	"io"
	"net/netip"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Config configures an API.
type Config struct {
	Store       *store.Store
	Now         func() time.Time // nil: time.Now
	Random      io.Reader        // source of ids; nil: crypto/rand
	PublicRange netip.Prefix     // public IP addresses
	IPv6Range   netip.Prefix     // IPv6 addresses of VPCs; zero: IPv6 is refused
	Images      []BaseImage      // public images that every region offers
	AnyImage    bool             // an image that does not exist is the first of Images under another id
	Manners     *manners.Set     // nil: a kind cloud
	Simulated   bool             // what has an effect on real planes alone is only recorded

	// Console returns what an instance's machine has written to its console; nil:
	// nothing.
	Console func(ctx context.Context, instanceID string) ([]byte, error)

	// PassRole returns an error unless the caller of ctx may pass a role to a service, such as
	// "ec2.amazonaws.com" for instances; nil: everyone may.
	PassRole func(ctx context.Context, role *store.Role, service string) error

	// Authorize returns an error unless the caller of ctx may make a call that another
	// service will make later; nil: everyone may.
	Authorize func(ctx context.Context, call wire.Call) error

	// Capacity returns the capacity of a zone, such as "us-east-1a", for instances of
	// a type. It must return without delay; nil: Manners decide.
	Capacity func(zone string, instanceType types.InstanceType) Capacity
}

// BaseImage is a public image that every region offers.
type BaseImage struct {
	Base         string // "debian-12": the recipe that builds the image
	Name         string // "debian-12-amd64-20261101-1234"
	Description  string
	Owner        string // AWS account that publishes the image: "136693071363"
	Architecture string // "x86_64"
	RootDevice   string // "/dev/xvda"
	SizeGiB      int32
	VolumeType   string   // of the root volume; "": "gp3"
	Parameters   []string // public parameters of Systems Manager with the id of the image
}

// API implements the operations of Amazon EC2.
type API struct {
	Config
	ids          *identity.Source
	shortages    shortages
	deregistered deregisteredImages
}

// New returns an API.
func New(cfg Config) *API {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.PassRole == nil {
		cfg.PassRole = func(context.Context, *store.Role, string) error { return nil }
	}
	if cfg.Authorize == nil {
		cfg.Authorize = func(context.Context, wire.Call) error { return nil }
	}
	return &API{Config: cfg, ids: identity.New(cfg.Random)}
}

// resourceARN returns the ARN of an EC2 resource.
func resourceARN(region identity.Region, kind, id string) string {
	return identity.ARN("ec2", region, kind+"/"+id)
}
