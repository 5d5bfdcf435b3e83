// Package wire implements AWS's side of the wire for the local cloud: signatures,
// protocols, encoding and errors. It knows nothing about what a service does.
//
// A service is a Go value whose methods have the signatures of the SDK client's
// own methods, without the option functions:
//
//	func (a *API) DescribeVpcs(ctx context.Context, in *ec2.DescribeVpcsInput) (*ec2.DescribeVpcsOutput, error)
//
// NewHandler finds the methods by reflection and serves them to any AWS client.
package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// Config configures a handler.
type Config struct {
	Services []Service

	// Credentials returns an access key. token is the session token of the request,
	// "" for none. The error is ErrUnknownKey for a key that the local cloud has not
	// issued, and ErrInvalidKey for one that cannot be used, or not with this token.
	Credentials func(accessKeyID, token string) (Key, error)
	// AcceptAnyCredentials accepts every request with a well-formed signature,
	// whatever its key, without verifying it, unless the local cloud has issued the key
	// for a user or a session. It is meant for test suites: any client that reaches the port may
	// then do everything the services can.
	AcceptAnyCredentials bool
	// AccountKeys makes each key that AcceptAnyCredentials accepts, and that is a number of
	// 12 digits, the key of the account with this id.
	AccountKeys bool

	// Hosts lists host names under which requests are accepted, besides loopback
	// addresses and localhost.
	Hosts []string
	// Around surrounds every operation, once its request is authenticated and
	// decoded. It may call next, which runs the operation and returns a pointer to
	// its output. nil: every operation runs as it is.
	Around Around
	// Answered is called for every authenticated call of an operation, if it is not nil.
	Answered func(Answer)
	// Fallback serves the paths below /_aloft/, which are not AWS's. Requests for
	// them are signed with the key of the local cloud's own account, for OwnService.
	Fallback http.Handler
	// Streams serve the requests that become connections, by path.
	Streams map[string]Stream

	Now          func() time.Time // time.Now if nil
	NewRequestID func() string    // random UUIDs if nil
	Log          *slog.Logger     // discarded if nil
}

// Around surrounds an operation, which next runs.
type Around func(ctx context.Context, call Call, next func(context.Context) (any, error)) (any, error)

// Key is an access key.
type Key struct {
	Secret    string
	Account   string // whose key it is; "": the local cloud's own
	Principal Principal
	Expires   time.Time // of a session's key
}

// temporary reports whether the key belongs to a session.
func (k Key) temporary() bool { return k.Principal.Session != nil }

// The errors of Config.Credentials.
var (
	ErrUnknownKey = errors.New("the access key is unknown")
	ErrInvalidKey = errors.New("the access key cannot be used, or not with the session token")
)

// Call is an operation that a client calls.
type Call struct {
	Service   string // "ec2"
	Operation string // "RunInstances"
	Input     any    // a pointer to the SDK's input
}

// Answer is how a call was answered.
type Answer struct {
	Service   string
	Operation string
	Region    identity.Region
	Code      string // "OK", or that of the error
	Took      time.Duration
}

// ErrHangUp makes the endpoint close the connection instead of responding.
var ErrHangUp = errors.New("close the connection without a response")

// Service is one AWS API.
type Service struct {
	Name string // as in the scope of signatures: ec2, elasticloadbalancing, sts, ssm
	API  any    // its methods named after operations are served
	// Unsigned are operations that a GET without a signature may call, because a secret
	// among its parameters permits it. Such a call has a caller without key and region.
	Unsigned []string
	// Anonymous are operations of the query protocol that a GET or a POST without a signature may call, because
	// they verify something else in its place. Their callers have no key and no region either.
	Anonymous []string
	// Quiet are operations that programs repeat all the time. Their success is not logged.
	Quiet []string
	// CrossOrigin decides on requests of web pages to the buckets of S3. It returns the headers that
	// tell a browser that the page may send such a request. nil: no page may.
	CrossOrigin func(CrossOrigin) (map[string]string, error)
}

// NewHandler returns the endpoint's handler. It fails if a service is unknown, if
// a method named after an operation does not have the operation's signature, or
// if one of the types in the signature cannot be encoded.
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
		cfg.Credentials = func(string, string) (Key, error) { return Key{}, ErrUnknownKey }
	}
	h := &handler{Config: cfg, services: map[string]*service{}, bodyTimeout: bodyTimeout}
	for _, s := range cfg.Services {
		served, err := newService(s)
		if err != nil {
			return nil, fmt.Errorf("serve %s: %w", s.Name, err)
		}
		h.services[s.Name] = served
	}
	return h, nil
}
