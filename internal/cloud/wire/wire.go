// Package wire is the local cloud's AWS endpoint: signatures, protocols,
// codec and errors, with no knowledge of what any service does.
//
// A service is a Go value whose methods have the signatures of the SDK's own
// client, without its option functions:
//
//	func (a *API) DescribeVpcs(ctx context.Context, in *ec2.DescribeVpcsInput) (*ec2.DescribeVpcsOutput, error)
//
// NewHandler finds them by reflection and serves them to whatever speaks AWS.
package wire

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// Config is what a handler is made of.
type Config struct {
	Services []Service

	// Credentials finds the secret of an access key.
	Credentials func(accessKeyID string) (secret string, ok bool)
	// AcceptAnyCredentials takes every request that is signed in form, by
	// whatever key, without verifying it. For test suites only: whoever
	// reaches the port may then do everything the services can.
	AcceptAnyCredentials bool

	// Hosts are names, beside loopback addresses and localhost, under which
	// requests are accepted.
	Hosts []string
	// Fallback serves paths under /_aloft/, which are not AWS's, unsigned.
	Fallback http.Handler

	Now          func() time.Time // time.Now if nil
	NewRequestID func() string    // random UUIDs if nil
	Log          *slog.Logger     // discarded if nil
}

// Service is one AWS API.
type Service struct {
	Name string // as in a signature's scope: ec2, elasticloadbalancing, sts, ssm
	API  any    // its methods named after operations serve them
}

// NewHandler makes the endpoint. It fails if a service is unknown, if a method
// named after an operation does not have the operation's signature, or if a
// type in one cannot be carried.
func NewHandler(cfg Config) (http.Handler, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.NewRequestID == nil {
		cfg.NewRequestID = newRequestID
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Credentials == nil {
		cfg.Credentials = func(string) (string, bool) { return "", false }
	}
	h := &handler{Config: cfg, services: map[string]*service{}}
	for _, s := range cfg.Services {
		served, err := newService(s)
		if err != nil {
			return nil, fmt.Errorf("serve %s: %w", s.Name, err)
		}
		h.services[s.Name] = served
	}
	return h, nil
}
