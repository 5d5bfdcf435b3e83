package cli

import (
	"context"
	"time"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/spec"
)

// deployment is an application with clients of its cloud.
type deployment struct {
	*apply.Deployment
	spec       *spec.Spec
	client     *awsapi.Client
	regionFrom string // what named the region; "" on the local cloud
}

// loadSpec reads the spec of a folder. --region overrides its region.
func (g *global) loadSpec(dir string) (*spec.Spec, error) {
	s, err := spec.LoadStage(dir, g.stage)
	if err != nil {
		return nil, err
	}
	if g.region != "" {
		s.Region, s.RegionGiven = g.region, true
	}
	return s, nil
}

// overrideRef sets the git ref of a spec to the value of --ref.
func overrideRef(s *spec.Spec, ref string) error {
	if ref == "" {
		return nil
	}
	if s.Source.Git == "" {
		return diag.List{{
			Where:   "--ref " + ref,
			Summary: "a ref needs a git repository, and the source is the folder " + s.Source.Path,
			Hint:    "set source: {git: URL} in aloft.yaml",
		}}
	}
	s.Source.Ref = ref
	return nil
}

// openFolder returns the deployment of the application in a folder.
func (g *global) openFolder(ctx context.Context, dir string, events event.Sink) (*deployment, error) {
	s, err := g.loadSpec(dir)
	if err != nil {
		return nil, err
	}
	return g.open(ctx, s, false, events)
}

// openForChange returns the deployment of a spec for a command that changes it,
// and the progress that shows the command's events. It first undoes what a killed
// drill left.
func (g *global) openForChange(ctx context.Context, s *spec.Spec, start bool) (*deployment, *lazyProgress, error) {
	shown := newLazyProgress(g.newProgress)
	d, err := g.open(ctx, s, start, shown.Event)
	if err == nil && s.Stage != "" {
		shown.Event(event.Event{
			Time: time.Now(), Kind: event.Note, Address: "stage " + s.Stage, Message: "is deployed as " + s.App,
		})
	}
	if err == nil && d.regionFrom != "" {
		shown.Event(event.Event{
			Time: time.Now(), Kind: event.Note, Address: s.Region, Message: "is the region, from " + d.regionFrom,
		})
	}
	if err == nil {
		err = g.handleUnfinishedDrill(ctx, d, willChange)
	}
	return d, shown, err
}

// open returns the deployment of a spec. A spec that has only a name and a region
// suffices to read a deployment and to delete it. If start is set, a local cloud
// that does not run is started.
func (g *global) open(ctx context.Context, s *spec.Spec, start bool, events event.Sink) (*deployment, error) {
	region := s.Region
	if g.on == "aws" && !s.RegionGiven {
		region = "" // the environment and the profile come before the default
	}
	client, err := g.connect(ctx, region, start)
	if err != nil {
		return nil, err
	}
	s.Region = client.Region
	source, err := g.source()
	if err != nil {
		return nil, err
	}
	keys, err := g.keyDir()
	if err != nil {
		return nil, err
	}
	d, err := apply.New(apply.Config{
		Spec:          s,
		Client:        client,
		KeyDir:        keys,
		Events:        events,
		Builder:       g.newBuilder(ctx, s),
		RefreshBase:   g.refreshBase,
		Unprotect:     g.unprotect,
		SourceAddress: source,
		// A poll of a release makes a dozen requests, one of a drill a single request.
		Poll: 4 * g.pollInterval(),
	})
	if err != nil {
		return nil, err
	}
	opened := &deployment{Deployment: d, spec: s, client: client}
	if g.on == "aws" {
		opened.regionFrom = g.regionSource(s, client)
	}
	return opened, nil
}

// deployedStatus returns the status of a deployment, or an error if nothing is deployed.
func (d *deployment) deployedStatus(ctx context.Context) (*apply.Status, error) {
	s, err := d.Status(ctx)
	if err != nil {
		return nil, err
	}
	if s.VPCID == "" && s.LoadBalancerARN == "" && len(s.Machines) == 0 {
		return nil, diag.List{{Where: s.App, Summary: "is not deployed in " + s.Region, Hint: "aloft up deploys it"}}
	}
	return s, nil
}
