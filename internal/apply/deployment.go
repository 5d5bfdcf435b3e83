// Package apply brings a deployment to what its spec says, and away again: it
// finds what the cloud holds, plans the difference and walks the plan, many
// things at once. There is no state but the cloud's own, so a run that was
// killed at any point is finished by running again.
package apply

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/lease"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/spec"
)

// Builder makes releases.
type Builder interface {
	resource.Builder
	// Release names what Build makes of a base image: a content address of base
	// image, recipe and source, in characters that fit a name.
	Release(baseImageID string) (string, error)
	// Source names the source to people: a repository and its commit, or a folder
	// and its digest.
	Source() (string, error)
}

// Identity tells whose credentials are used.
type Identity interface {
	GetCallerIdentity(context.Context, *sts.GetCallerIdentityInput, ...func(*sts.Options)) (*sts.GetCallerIdentityOutput, error)
}

// Config is what a deployment works with.
type Config struct {
	App     string
	Region  string
	Spec    *spec.Spec // nil is enough for Down and Status
	Client  *awsapi.Client
	Builder Builder // for Plan and Up
	KeyDir  string  // where private keys are kept
	Events  event.Sink

	Poll   time.Duration           // between two looks at a release that comes into service; 5 s if zero
	Egress resource.Egress         // Egress of this package if nil
	Holder lease.Holder            // of the lock; this process if zero
	Dead   func(lease.Holder) bool // reports whether a holder has certainly ended; lease.Dead if nil
}

// Deployment is one application in one region.
type Deployment struct {
	cfg     Config
	cloud   resource.Cloud
	keys    resource.Keys
	history *history.History
}

// New makes a deployment. It sends nothing.
func New(cfg Config) (*Deployment, error) {
	given := ""
	if cfg.Spec != nil {
		cfg.App, cfg.Region, given = cfg.Spec.App, cfg.Spec.Region, cfg.Spec.Machines.Key
	}
	switch {
	case cfg.Client == nil:
		return nil, fmt.Errorf("make a deployment: no client")
	case cfg.App == "" || cfg.Region == "":
		return nil, fmt.Errorf("make a deployment: no application or region")
	case cfg.Client.Region != cfg.Region:
		return nil, fmt.Errorf("make a deployment in %s: the client is for %q", cfg.Region, cfg.Client.Region)
	}
	if cfg.Events == nil {
		cfg.Events = func(event.Event) {}
	}
	if cfg.Poll == 0 {
		cfg.Poll = 5 * time.Second
	}
	if cfg.Egress == nil {
		cfg.Egress = Egress
	}
	if cfg.Holder == (lease.Holder{}) {
		cfg.Holder = lease.Self()
	}
	if cfg.Dead == nil {
		cfg.Dead = lease.Dead
	}
	return &Deployment{
		cfg: cfg,
		cloud: resource.Cloud{
			App:    cfg.App,
			Region: cfg.Region,
			EC2:    cfg.Client.EC2,
			ELB:    cfg.Client.ELB,
			ASG:    cfg.Client.ASG,
			CW:     cfg.Client.CW,
			SSM:    cfg.Client.SSM,
		},
		keys: resource.KeysOf(given, cfg.KeyDir, cfg.App, cfg.Region),

		history: history.New(cfg.Client.SSM, cfg.App),
	}, nil
}

// KeyFile is the private key that opens the machines.
func (d *Deployment) KeyFile() string { return d.keys.Private }

func (d *Deployment) site() *resource.Site {
	site := &resource.Site{Cloud: d.cloud, Keys: d.keys, Egress: d.cfg.Egress, Events: d.cfg.Events}
	if d.cfg.Builder != nil {
		site.Builder = d.cfg.Builder
	}
	return site
}

// LoginUser is who logs in on the machines.
func (d *Deployment) LoginUser(ctx context.Context) (string, error) {
	base, err := d.cloud.ResolveBase(ctx, d.cfg.Spec.Machines.Image)
	if err != nil {
		return "", explain("machines.image", err)
	}
	return base.User, nil
}
