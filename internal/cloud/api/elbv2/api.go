// Package elbv2 serves the Elastic Load Balancing API, version 2015-12-01, for
// Application Load Balancers and Network Load Balancers. It validates requests, writes
// the desired state to the store and describes what the store holds. The load
// balancers' control loop does the rest.
package elbv2

import (
	"io"
	"net/netip"
	"time"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/bucketpolicy"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
)

// Config holds an API's dependencies and settings.
type Config struct {
	Store       *store.Store
	Now         func() time.Time // time.Now if nil
	Random      io.Reader        // source of IDs; crypto/rand.Reader if nil
	PublicRange netip.Prefix     // nodes' public IP addresses come from here
	DNSSuffix   string           // follows the Region in load balancers' names; "elb.localhost" if empty
	Manners     *manners.Set     // nil: a kind cloud
	Simulated   bool             // what has an effect on real planes alone is only recorded
	// Deliver puts a file of a load balancer into a bucket; nil: none is put.
	Deliver func(d bucketpolicy.Delivery, content io.Reader) error
}

// API has one method per supported operation, with the signature of the SDK's
// client. Errors that AWS defines are returned as *wire.Error.
type API struct {
	store   *store.Store
	now     func() time.Time
	ids     *identity.Source
	public  netip.Prefix
	suffix  string
	manners *manners.Set
	// simulated is set if what has an effect on real planes alone is only recorded.
	simulated bool
	deliver   func(d bucketpolicy.Delivery, content io.Reader) error
}

// New returns the API.
func New(c Config) *API {
	a := &API{
		store: c.Store, now: c.Now, ids: identity.New(c.Random), public: c.PublicRange, suffix: c.DNSSuffix,
		manners: c.Manners, deliver: c.Deliver, simulated: c.Simulated,
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.suffix == "" {
		a.suffix = "elb.localhost"
	}
	return a
}

func arn(region identity.Region, resource string) string {
	return identity.ARN("elasticloadbalancing", region, resource)
}

// model builds the errors for requests that violate the API's model.
const model = constraint.Model("ValidationError")

// invalid returns a ValidationError with the message.
func invalid(format string, args ...any) error { return model.Errorf(format, args...) }

// update runs change in one transaction and returns its result.
func update[T any](a *API, change func(tx *store.Tx) (T, error)) (T, error) {
	var out T
	err := a.store.Update(func(tx *store.Tx) (err error) {
		out, err = change(tx)
		return err
	})
	return out, err
}
