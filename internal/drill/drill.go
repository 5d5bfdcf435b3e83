// Package drill breaks a deployment on purpose, under load, and measures what
// its users see of it. It does so through the AWS API alone, as AWS's own fault
// injection does, and on the machines over SSH; so a drill on the local cloud is
// the drill on AWS.
//
// What a drill changes is written into the cloud before it is changed (Change),
// and put back in the end, also after Ctrl-C. When a drill is killed, the next
// command on the deployment finds the change and puts it back (Restore).
package drill

import (
	"context"
	"time"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/lease"
)

// Experiment is one way to break a deployment.
type Experiment string

// The experiments.
const (
	Instance Experiment = "instance" // one machine is terminated; its place is filled again
	Zone     Experiment = "zone"     // machines and balancer node of one zone are cut off, silently
	App      Experiment = "app"      // the service on one machine is stopped, and started again
	Freeze   Experiment = "freeze"   // the application on one machine hangs without closing anything
	Overload Experiment = "overload" // the load rises until the deployment no longer copes
)

// Experiments are all, in the order in which they are told.
var Experiments = []Experiment{Instance, Zone, App, Overload, Freeze}

// Connect opens a way to run scripts as root on a server; shut ends it, and what
// was opened for it in the firewall.
type Connect func(ctx context.Context, server string) (run func(ctx context.Context, script string) error, shut func() error, err error)

// Config is the deployment that is drilled and what is needed for it.
type Config struct {
	App     string
	Client  *awsapi.Client
	Connect Connect
	Refill  func(ctx context.Context) error // brings the deployment to its spec: what `aloft up` does
	Poll    time.Duration                   // between two looks at the targets' health
	Events  event.Sink

	Holder lease.Holder            // of the drill's lease; this process if zero
	Dead   func(lease.Holder) bool // reports whether a holder has certainly ended; lease.Dead if nil
}

// Drill is the drilling of one deployment.
type Drill struct{ cfg Config }

// New makes a drill. It sends nothing.
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
