package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/cloud"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/release"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/view"
)

// deployment is an application and the cloud that it is, or is to be, on.
type deployment struct {
	*apply.Deployment
	spec   *spec.Spec
	client *awsapi.Client
}

// load reads the spec of a folder. --region wins over what it says.
func (a *app) load(dir string) (*spec.Spec, error) {
	s, err := spec.Load(dir)
	if err != nil {
		return nil, err
	}
	if a.region != "" {
		s.Region = a.region
	}
	if a.ref != "" {
		if s.Source.Git == "" {
			return nil, diag.List{
				{
					Where:   "--ref " + a.ref,
					Summary: "a ref needs a git repository, and the source is the folder " + s.Source.Path,
					Hint:    "give source: {git: URL} in aloft.yaml",
				},
			}
		}
		s.Source.Ref = a.ref
	}
	return s, nil
}

// open gives the deployment of a folder. With start, a local cloud that does not
// run is started.
func (a *app) open(ctx context.Context, dir string, start bool, events event.Sink) (*deployment, error) {
	s, err := a.load(dir)
	if err != nil {
		return nil, err
	}
	return a.openSpec(ctx, s, start, events)
}

// openToChange is open for a run that changes the deployment: what a drill has
// left is put back. tell tells the run's story.
func (a *app) openToChange(ctx context.Context, dir string, start bool) (d *deployment, tell *once, err error) {
	tell = newOnce(a.teller)
	d, err = a.open(ctx, dir, start, tell.Event)
	if err == nil {
		err = a.afterDrill(ctx, d, mends)
	}
	return d, tell, err
}

// openSpec gives the deployment of a spec. One that has but a name and a region
// is enough to look at a deployment and to remove it.
func (a *app) openSpec(ctx context.Context, s *spec.Spec, start bool, events event.Sink) (*deployment, error) {
	client, err := a.connect(ctx, s.Region, start)
	if err != nil {
		return nil, err
	}
	keys, err := a.keyDir()
	if err != nil {
		return nil, err
	}
	// A look at a release asks a dozen questions, one at a drill a single one.
	d, err := apply.New(
		apply.Config{
			Spec:    s,
			Client:  client,
			KeyDir:  keys,
			Events:  events,
			Builder: newBuilder(ctx, s),
			Poll:    4 * a.poll(),
		},
	)
	if err != nil {
		return nil, err
	}
	return &deployment{Deployment: d, spec: s, client: client}, nil
}

// connect gives clients of the cloud that --on names.
func (a *app) connect(ctx context.Context, region string, start bool) (*awsapi.Client, error) {
	if a.on == "aws" {
		return awsapi.New(ctx, awsapi.Options{Region: region, Profile: a.profile})
	}
	place, err := a.place()
	if err != nil {
		return nil, err
	}
	running, err := find(place)
	if errors.Is(err, cloud.ErrNotRunning) {
		if !start {
			return nil, diag.List{
				{
					Where:   "local cloud",
					Summary: "is not running",
					Hint:    "sudo aloft local start" + a.again() + " brings back what was on it; aloft up starts it and deploys; --on aws looks at AWS",
					Cause:   err,
				},
			}
		}
		// What up prints on standard output is its own result alone.
		quiet := *a
		quiet.json = false
		if err := quiet.startLocal(ctx, startOptions{address: cloud.DefaultAddress}); err != nil {
			return nil, err
		}
		running, err = find(place)
	}
	if err != nil {
		return nil, err
	}
	if err := a.sameVersion(running); err != nil {
		return nil, err
	}
	key, err := cloud.ReadCredentials(place)
	if errors.Is(err, fs.ErrPermission) {
		return nil, onlyRoot(err, "run the same command with sudo")
	}
	if err != nil {
		return nil, err
	}
	return awsapi.New(ctx, awsapi.Options{
		Region: region, Endpoint: "http://" + running.Address,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID:     key.AccessKeyID,
				SecretAccessKey: key.SecretAccessKey,
				Source:          place.State,
			}, nil
		}),
	})
}

// find looks for the daemon at a place.
func find(place cloud.Place) (cloud.Daemon, error) {
	running, err := cloud.FindDaemon(place)
	if errors.Is(err, fs.ErrPermission) {
		return running, onlyRoot(err, "run the same command with sudo")
	}
	return running, err
}

// onlyRoot tells a user that the local cloud runs as root, and is root's.
func onlyRoot(err error, hint string) error {
	return diag.List{
		{
			Where:   "local cloud",
			Summary: "belongs to root: who may use it can start machines on this host",
			Hint:    hint,
			Cause:   err,
		},
	}
}

// keyDir is where the private keys that Aloft makes are kept (XDG Base Directory
// Specification, "Environment variables").
func (a *app) keyDir() (string, error) {
	data := os.Getenv("XDG_DATA_HOME")
	if !filepath.IsAbs(data) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("find the folder for private keys: %w", err)
		}
		data = filepath.Join(home, ".local", "share")
	}
	return filepath.Join(data, "aloft", a.on, "keys"), nil
}

// builder makes releases of one spec, all from the same state of its source.
type builder struct {
	spec   *spec.Spec
	source func() (release.Source, error) // looked at when first needed
}

func newBuilder(ctx context.Context, s *spec.Spec) builder {
	return builder{spec: s, source: sync.OnceValues(func() (release.Source, error) { return release.Resolve(ctx, s) })}
}

// Release names what Build makes of a base image.
func (b builder) Release(baseImageID string) (string, error) {
	source, err := b.source()
	if err != nil {
		return "", err
	}
	return release.ID(baseImageID, b.spec, source), nil
}

// Build installs the application on a machine.
func (b builder) Build(ctx context.Context, m resource.Machine, events event.Sink) error {
	source, err := b.source()
	if err != nil {
		return err
	}
	return release.Build(ctx, target(m), b.spec, source, events)
}

// Prove proves that the application serves on a machine of the release's image.
func (b builder) Prove(ctx context.Context, m resource.Machine, events event.Sink) error {
	return release.Prove(ctx, target(m), b.spec, events)
}

// Examine tells how the application's service is on a machine.
func (b builder) Examine(ctx context.Context, m resource.Machine) ([]string, error) {
	return release.Examine(ctx, target(m), b.spec.App)
}

// Source names the source.
func (b builder) Source() (string, error) {
	source, err := b.source()
	if err != nil {
		return "", err
	}
	return source.Exact(b.spec.Source.Ref), nil
}

func target(m resource.Machine) release.Target {
	return release.Target{
		Name:     m.Name,
		Address:  net.JoinHostPort(m.Address.String(), "22"),
		User:     m.User,
		KeyPath:  m.KeyFile,
		HostKeys: m.HostKeys,
	}
}

// teller tells the story of a run on standard error.
type teller interface {
	Event(event.Event)
	Close() error
}

func (a *app) teller() teller {
	switch {
	case a.json:
		return view.NewJSONLines(a.Err)
	case isTerminal(a.Err):
		return view.NewLive(a.Err, a.style(a.Err))
	}
	return view.NewPlain(a.Err, a.style(a.Err))
}

// command is a command line to run next, on the same folder.
func command(words, dir string) string {
	if dir == "." {
		return words
	}
	return words + " " + dir
}
