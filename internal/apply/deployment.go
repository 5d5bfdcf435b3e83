// Package apply deploys an application and deletes it again: it finds the
// application's resources, plans the difference to the spec and carries out the
// plan concurrently. The only state is in the cloud, so running again completes a
// run that was killed at any point.
package apply

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"sync"
	"time"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/lease"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
	"aloft.dev/aloft/internal/timing"
)

// defaultPoll is the default interval between two checks of a release that is
// being brought into service.
const defaultPoll = 5 * time.Second

// Builder builds releases.
type Builder interface {
	resource.Builder
	// Release returns the name of what Build installs on a base image: a content
	// address of base image, recipe and source, in characters that AWS names allow.
	Release(baseImageID string) (string, error)
	// Source describes the source to people: a repository and its commit, or a
	// folder and its digest.
	Source() (string, error)
	// Runtime names the runtime that the source asks for: "Node.js >=20".
	Runtime() (string, error)
}

// Config configures a Deployment.
type Config struct {
	App     string     // if Spec is nil
	Region  string     // if Spec is nil
	Spec    *spec.Spec // may be nil for Down and Status
	Client  *awsapi.Client
	Builder Builder // for Plan and Up
	KeyDir  string  // folder of private keys
	Events  event.Sink

	Unprotect   bool // delete and replace what is protected
	RefreshBase bool // build on the newest base image, and not on the one that the deployment was built on

	Poll          time.Duration          // between two checks of a release; 5 s if zero
	SourceAddress resource.SourceAddress // SourceAddress of this package if nil
	Holder        lease.Holder           // of the lock; this process if zero

	// Dial connects to machines; net's if nil.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Dead reports whether a holder of the lock has certainly ended; lease.Dead if nil.
	Dead func(lease.Holder) bool
}

// Deployment is one application in one region.
type Deployment struct {
	cfg      Config
	cloud    resource.Cloud
	account  *account
	keys     resource.Keys
	history  *history.History
	tellGone sync.Once        // that the base image is gone
	timings  *timing.Recorder // nil: not recorded
	room     resource.Room
}

// New returns a Deployment. It makes no calls.
func New(cfg Config) (*Deployment, error) {
	userKey := ""
	if cfg.Spec != nil {
		cfg.App, cfg.Region, userKey = cfg.Spec.App, cfg.Spec.Region, cfg.Spec.Machines.Key
	}
	switch {
	case cfg.Client == nil:
		return nil, fmt.Errorf("configure the deployment: no client")
	case cfg.App == "" || cfg.Region == "":
		return nil, fmt.Errorf("configure the deployment: no application or region")
	case cfg.Client.Region != cfg.Region:
		return nil, fmt.Errorf("configure the deployment in %s: the client is for %q", cfg.Region, cfg.Client.Region)
	}
	if cfg.Events == nil {
		cfg.Events = func(event.Event) {}
	}
	if cfg.Poll == 0 {
		cfg.Poll = defaultPoll
	}
	if cfg.SourceAddress == nil {
		cfg.SourceAddress = SourceAddress
	}
	if cfg.Holder == (lease.Holder{}) {
		cfg.Holder = lease.Self()
	}
	if cfg.Dead == nil {
		cfg.Dead = lease.Dead
	}
	cloud := resource.NewCloud(cfg.App, cfg.Region, cfg.Client)
	cloud.Salt, cloud.Tagged = rand.Text(), len(stack.TagsOf(cfg.Spec)) > 0
	cloud.AnyDomain = cfg.Spec == nil
	if s := cfg.Spec; s != nil {
		cloud.Protected, cloud.Domains = s.Protect, s.Domain
		cloud.Identity = s.Machines.Role != "" || stack.DesiredEnvironment(s, nil) != nil
		cloud.Alerts, cloud.AccessLogs = len(s.Alerts) > 0, s.KeepsAccessLogs()
	}
	caller := &account{sts: cfg.Client.STS}
	return &Deployment{
		cfg:     cfg,
		cloud:   cloud,
		account: caller,
		keys:    resource.KeysOf(userKey, cfg.KeyDir, cfg.App, cfg.Region, caller.id),
		history: history.New(cfg.Client.SSM, cfg.App),
	}, nil
}

// KeyFile returns the file of the private key for SSH. The error wraps fs.ErrNotExist if
// the key is not on this computer.
func (d *Deployment) KeyFile(ctx context.Context) (string, error) {
	pairs, err := d.cloud.KeyPairs(ctx)
	if err != nil {
		return "", explain("key pair", err)
	}
	var pair plan.Found
	if len(pairs) > 0 {
		pair = pairs[0]
	}
	file, err := d.keys.FileOf(ctx, pair)
	if err != nil {
		return "", explain("private key", err)
	}
	return file, nil
}

func (d *Deployment) provisioner() *resource.Provisioner {
	p := &resource.Provisioner{
		Cloud: d.cloud, Keys: d.keys, SourceAddress: d.cfg.SourceAddress, Dial: d.cfg.Dial, Events: d.cfg.Events,
		Room: &d.room, Unprotect: d.cfg.Unprotect,
	}
	if d.cfg.Builder != nil {
		p.Builder = d.cfg.Builder
	}
	if d.cfg.Spec != nil {
		p.SSHFrom = d.cfg.Spec.Security.SSH.From
	}
	return p
}

// RecordTimings makes the deployment record how long the tasks of its runs take.
func (d *Deployment) RecordTimings(r *timing.Recorder) { d.timings = r }

// runTasks runs tasks and records how long they took as a graph with the given name.
func (d *Deployment) runTasks(ctx context.Context, name string, tasks []*task) error {
	return runTasks(ctx, tasks, d.cfg.Events, d.timings.Graph(name))
}

// LoginUser returns the user for SSH.
func (d *Deployment) LoginUser(ctx context.Context) (string, error) {
	user, err := d.cloud.LoginUser(ctx, d.cfg.Spec.Machines.Image)
	if err != nil {
		return "", explain("machines.image", err)
	}
	return user, nil
}

// Discover returns the application's resources in the cloud.
func (d *Deployment) Discover(ctx context.Context) ([]plan.Found, error) {
	found, err := d.cloud.Discover(ctx)
	if err != nil {
		return nil, explain("", err)
	}
	return found, nil
}

// notify emits a note about a release.
func (d *Deployment) notify(release, message string) {
	d.cfg.Events(event.Event{Time: time.Now(), Kind: event.Note, Address: "release " + release, Message: message})
}
