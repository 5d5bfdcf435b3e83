//go:build !linux

package cli

import (
	"context"
	"crypto/x509"
	"net"
	"runtime"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/reachability"
)

// The local cloud is not part of Aloft on this system, so its flags have no defaults.
const (
	defaultStateDir = ""
	defaultAddress  = ""
)

// The commands of the local cloud exist on every system, so that their help does.
var (
	runLocalStart   = needsLinux[localStartOptions]
	runLocalStop    = needsLinux[localStopOptions]
	runLocalReset   = needsLinux[localResetOptions]
	runLocalLogs    = needsLinux[localLogsOptions]
	runLocalRestart = needsLinux[localRestartOptions]
	runLocalStatus  = needsLinux[localStatusOptions]
	runLocalEnv     = needsLinux[localEnvOptions]
	runLocalManners = needsLinux[localMannersOptions]
	runLocalTrust   = needsLinux[localTrustOptions]
	runLocalImage   = localImageRuns{
		needsLinux[localImageImportOptions], needsLinux[localImageListOptions], needsLinux[localImageRemoveOptions],
	}
)

// needsLinux is the run function of the commands of the local cloud.
func needsLinux[O any](context.Context, *O) error { return errNeedsLinux() }

// runConsole serves the pages of AWS.
func runConsole(ctx context.Context, o *consoleOptions) error {
	if o.on != "aws" {
		return errNeedsLinux()
	}
	return o.runAWSConsole(ctx)
}

// userOfConnection returns that nobody can say who is at the other end of a connection.
func userOfConnection(net.Conn) (user string, known bool) { return "", false }

// connectToLocalCloud returns the error of a command that was given no --on aws.
func (g *global) connectToLocalCloud(context.Context, string, bool) (*awsapi.Client, error) {
	return nil, errNeedsLinux()
}

// trustedRoots returns nil, which stands for the system's certificates.
func (g *global) trustedRoots() *x509.CertPool { return nil }

// errNeedsLinux returns the error of a command that uses the local cloud.
func errNeedsLinux() error {
	machine := "a virtual machine"
	if runtime.GOOS == "windows" {
		machine = "WSL 2"
	}
	return diag.List{{
		Where:   "local cloud",
		Summary: "runs on Linux only, because its machines use the kernel of the computer that it runs on",
		Hint:    "deploy to AWS with --on aws, or run aloft on Linux in " + machine,
	}}
}

// runSubprocess runs nothing: only the local cloud has subprocesses.
func runSubprocess([]string) (code int, ok bool) { return 0, false }

// probeLocalCloud returns nil: there is no local cloud whose kernel could say something.
func (g *global) probeLocalCloud(
	context.Context, *reachability.Path, bool,
) (*reachability.Facts, error) {
	return nil, nil //nolint:nilnil // nothing is known
}
