package cli

import (
	"context"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/diag"
)

// Defaults of the flags.
const (
	defaultStateDir = host.DefaultStateDir
	defaultAddress  = host.DefaultAddress
)

// connectToLocalCloud returns clients of the local cloud. If start is set, it starts
// a local cloud that does not run.
func (g *global) connectToLocalCloud(ctx context.Context, region string, start bool) (*awsapi.Client, error) {
	layout, err := g.layout()
	if err != nil {
		return nil, err
	}
	running, err := findDaemon(ctx, layout)
	if errors.Is(err, host.ErrNotRunning) && start {
		quiet := *g
		quiet.json = false // standard output holds the result of the command itself alone
		err = quiet.alone(ctx, func() error {
			return quiet.startLocal(ctx, startOptions{address: host.DefaultAddress})
		})
		if err != nil {
			return nil, err
		}
		running, err = findDaemon(ctx, layout)
	}
	if err != nil {
		return nil, notRunning(err, "sudo aloft local start"+g.cloudFlags()+
			" starts it with everything that was on it; aloft up starts it and deploys; --on aws uses AWS instead")
	}
	if err := g.requireSameVersion(running); err != nil {
		return nil, err
	}
	if layout.Simulated && start {
		return nil, diag.List{{
			Where:   "local cloud",
			Summary: "is simulated: no machine runs there, so no application can be installed",
			Hint:    "sudo aloft local start starts one with machines; leave --state-dir out to use it",
		}}
	}
	key, err := host.ReadCredentials(layout)
	if errors.Is(err, fs.ErrPermission) {
		return nil, needsRoot(err, "run the same command with sudo")
	}
	if err != nil {
		return nil, err
	}
	dial, err := running.Dialer()
	if err != nil {
		return nil, err
	}
	return awsapi.New(ctx, awsapi.Options{
		Region: region, Endpoint: "http://" + running.Address, Dial: dial,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID:     key.AccessKeyID,
				SecretAccessKey: key.SecretAccessKey,
				Source:          layout.StateDir,
			}, nil
		}),
	})
}

// trustedRoots returns the certificates to trust: with a local cloud those of the system and of its
// certificate authority, which users need not have added to the system's. nil stands for the
// system's.
func (g *global) trustedRoots() *x509.CertPool {
	layout, err := g.layout()
	if err != nil || g.on == "aws" {
		return nil
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	for _, path := range []string{layout.AuthorityRoot(), layout.PublicRoot()} {
		if text, err := os.ReadFile(path); err == nil {
			roots.AppendCertsFromPEM(text)
		}
	}
	return roots
}

func (g *global) layout() (host.Layout, error) { return host.LayoutFor(g.stateDir) }

// findDaemon returns the running daemon of a local cloud.
func findDaemon(ctx context.Context, layout host.Layout) (host.Daemon, error) {
	running, err := host.FindDaemon(ctx, layout)
	if errors.Is(err, fs.ErrPermission) {
		return running, needsRoot(err, "run the same command with sudo")
	}
	return running, err
}

// notRunning explains an error of findDaemon. hint is the remedy if no daemon runs.
func notRunning(err error, hint string) error {
	if !errors.Is(err, host.ErrNotRunning) {
		return err
	}
	return diag.List{{Where: "local cloud", Summary: "is not running", Hint: hint, Cause: err}}
}

// needsRoot returns the error for a user who may not use root's local cloud.
func needsRoot(err error, hint string) error {
	return diag.List{{
		Where:   "local cloud",
		Summary: "belongs to root, because its users can start machines on this host",
		Hint:    hint,
		Cause:   err,
	}}
}
