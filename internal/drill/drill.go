// Package drill breaks a deployment on purpose, under load, and measures what its
// users notice. It uses the AWS API, as AWS's own fault injection does, and SSH to
// the servers. So a drill on the local cloud is the same as a drill on AWS.
//
// A drill stores what it changes (Change) before it changes it, and undoes the
// change at its end and when it is interrupted. If it is killed, the next command
// on the deployment finds the stored change and undoes it (Restore).
package drill

import (
	"context"
	"crypto/x509"
	"time"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/lease"
)

// Experiment is a way to break a deployment.
type Experiment string

// The experiments.
const (
	Instance Experiment = "instance" // terminates one server in order; aloft up replaces it
	Power    Experiment = "power"    // cuts one server off without a shutdown; aloft up replaces it
	Zone     Experiment = "zone"     // isolates the servers and the load balancer node of one zone
	App      Experiment = "app"      // stops the application's service on one server
	Freeze   Experiment = "freeze"   // suspends the application on one server, with its connections open
	Overload Experiment = "overload" // raises the load until requests fail
)

// Experiments lists all experiments in the order in which they are shown.
var Experiments = []Experiment{Instance, Power, Zone, App, Overload, Freeze}

// Terminates reports whether the experiment's server does not come back, but is replaced.
func (e Experiment) Terminates() bool { return e == Instance || e == Power }

// Connect connects to a server. run runs scripts there as root; closeConnection
// ends the connection and removes what was added to the firewall for it.
type Connect func(ctx context.Context, server string) (
	run func(ctx context.Context, script string) error, closeConnection func() error, err error)

// Config configures a Drill.
type Config struct {
	App     string
	Program string // the application's name on its machines
	Client  *awsapi.Client
	Connect Connect
	Refill  func(ctx context.Context) error // replaces missing servers, or waits for an Auto Scaling group that does
	Poll    time.Duration                   // between two checks of the targets' health
	Events  event.Sink
	Roots   *x509.CertPool // to trust; nil: those of the system

	Holder lease.Holder            // of the drill's lease; this process if zero
	Dead   func(lease.Holder) bool // reports whether a holder has certainly ended; lease.Dead if nil
}

// Drill breaks and restores one deployment.
type Drill struct{ cfg Config }

// New returns a Drill. It makes no request.
func New(cfg Config) *Drill {
	if cfg.Events == nil {
		cfg.Events = func(event.Event) {}
	}
	if cfg.Holder == (lease.Holder{}) {
		cfg.Holder = lease.Self()
	}
	if cfg.Dead == nil {
		cfg.Dead = lease.Dead
	}
	return &Drill{cfg: cfg}
}

func (d *Drill) note(address, message string) {
	d.cfg.Events(event.Event{Time: time.Now(), Kind: event.Note, Address: address, Message: message})
}
