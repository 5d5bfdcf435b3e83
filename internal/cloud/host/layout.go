//go:build linux

// Package host is a local cloud's presence on the host that runs it: its
// folders and credentials, its daemon's process, the checks before it starts,
// and the removal of what it leaves behind.
package host

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"aloft.dev/aloft/internal/diag"
)

// DefaultStateDir is the default folder of a local cloud's state.
const DefaultStateDir = "/var/lib/aloft"

// DefaultAddress is the default address of the AWS APIs.
const DefaultAddress = "127.0.0.1:4566"

// Layout names the folders, the cgroup and the network devices of one local
// cloud. Local clouds with different state folders share none of these names.
type Layout struct {
	StateDir string // survives a reboot of the host
	RunDir   string // namespaces, mounts and sockets; a reboot of the host clears it
	Prefix   string // of the names of the cgroup and of network devices; at most 8 characters

	// Simulated is set for a local cloud without machines, which any user may run.
	Simulated bool
}

// LayoutFor returns the layout of the local cloud that keeps its state in
// stateDir. It is simulated if MarkSimulated has marked the folder.
func LayoutFor(stateDir string) (Layout, error) {
	stateDir, err := filepath.Abs(stateDir)
	if err != nil {
		return Layout{}, fmt.Errorf("find the state folder: %w", err)
	}
	simulated := simulatedLayout(stateDir)
	if _, err := os.Stat(simulated.mark()); err == nil {
		return simulated, nil
	}
	if stateDir == DefaultStateDir {
		return Layout{StateDir: stateDir, RunDir: "/run/aloft", Prefix: "aloft"}, nil
	}
	sum := sha256.Sum256([]byte(stateDir))
	tag := hex.EncodeToString(sum[:])[:4]
	return Layout{StateDir: stateDir, RunDir: "/run/aloft-" + tag, Prefix: "alo" + tag}, nil
}

// simulatedLayout returns the layout of a simulated cloud. It has no namespaces and mounts, so
// its run folder need not be one that only root may write to.
func simulatedLayout(stateDir string) Layout {
	return Layout{StateDir: stateDir, RunDir: filepath.Join(stateDir, "run"), Prefix: "aloft", Simulated: true}
}

// MarkSimulated makes stateDir the folder of a simulated cloud and returns its layout. It
// refuses the folder of a local cloud that has machines.
func MarkSimulated(stateDir string) (Layout, error) {
	layout, err := LayoutFor(stateDir)
	if err != nil || layout.Simulated {
		return layout, err
	}
	if _, err := os.Stat(layout.Database()); !errors.Is(err, fs.ErrNotExist) {
		return Layout{}, &diag.Diagnostic{
			Where:   layout.StateDir,
			Summary: "holds a local cloud with machines, which a simulated one would hide",
			Hint:    "choose another folder: --state-dir ~/aloft-simulated",
			Cause:   err,
		}
	}
	layout = simulatedLayout(layout.StateDir)
	if err := os.MkdirAll(layout.StateDir, 0o700); err != nil {
		return Layout{}, fmt.Errorf("create the state folder: %w", err)
	}
	return layout, writeFile(layout.mark(), []byte("This folder belongs to a simulated local cloud.\n"))
}

// Database is the store's file.
func (l Layout) Database() string { return filepath.Join(l.StateDir, "aloft.db") }

// Images is the folder of image layers.
func (l Layout) Images() string { return filepath.Join(l.StateDir, "images") }

// Machines is the folder of the machines' disks.
func (l Layout) Machines() string { return filepath.Join(l.StateDir, "machines") }

// Volumes is the folder of the contents of EBS volumes besides root volumes, and of snapshots.
func (l Layout) Volumes() string { return filepath.Join(l.StateDir, "volumes") }

// Objects is the folder of the content of S3's objects.
func (l Layout) Objects() string { return filepath.Join(l.StateDir, "objects") }

// AccessLogs is the folder of the load balancers' access logs that are not in their buckets
// yet.
func (l Layout) AccessLogs() string { return filepath.Join(l.StateDir, "logs") }

// Outbox is the folder of the emails that topics send.
func (l Layout) Outbox() string { return filepath.Join(l.StateDir, "outbox") }

// LogEvents is the folder of the events of CloudWatch Logs.
func (l Layout) LogEvents() string { return filepath.Join(l.StateDir, "logevents") }

// Metrics is the folder of the summaries of metrics.
func (l Layout) Metrics() string { return filepath.Join(l.StateDir, "metrics") }

// OpenIDKeys is the folder of the keys of OpenID Connect providers, which the user puts there.
func (l Layout) OpenIDKeys() string { return filepath.Join(l.StateDir, "openid") }

// Mirrors is the file with the archives that base images are built from.
func (l Layout) Mirrors() string { return filepath.Join(l.StateDir, "mirrors.json") }

// Log is the file of the daemon's log.
func (l Layout) Log() string { return filepath.Join(l.StateDir, "aloft.log") }

// MachineAuthorities is the file with the certificate authorities that machines trust.
func (l Layout) MachineAuthorities() string { return filepath.Join(l.RunDir, "authorities.crt") }

// MachineRun is the folder of the machines' sockets and pid files.
func (l Layout) MachineRun() string { return filepath.Join(l.RunDir, "machines") }

// NetworkRun is the folder of network namespaces.
func (l Layout) NetworkRun() string { return filepath.Join(l.RunDir, "network") }

// BalancerRun is the folder of the load balancer's control socket.
func (l Layout) BalancerRun() string { return filepath.Join(l.RunDir, "balancer") }

// EgressRun is the folder of the egress process's control socket.
func (l Layout) EgressRun() string { return filepath.Join(l.RunDir, "egress") }

// LinkLocalRun is the folder of the link-local process's control socket.
func (l Layout) LinkLocalRun() string { return filepath.Join(l.RunDir, "linklocal") }

// Authority is the folder of the certificate authority's keys.
func (l Layout) Authority() string { return filepath.Join(l.StateDir, "authority") }

// AuthorityRoot is the file with the certificate of the root that hosts may trust. All may
// read it.
func (l Layout) AuthorityRoot() string { return filepath.Join(l.StateDir, "authority.pem") }

// PublicRoot is the file with the certificate of the root that signs the names which no host
// should trust here. All may read it.
func (l Layout) PublicRoot() string { return filepath.Join(l.StateDir, "authority-public.pem") }

func (l Layout) mark() string        { return filepath.Join(l.StateDir, "simulated") }
func (l Layout) olderLog() string    { return l.Log() + ".1" }
func (l Layout) credentials() string { return filepath.Join(l.StateDir, "credentials.json") }
func (l Layout) sealKey() string     { return filepath.Join(l.StateDir, "seal.key") }
func (l Layout) reach() string       { return filepath.Join(l.StateDir, "reach.json") }
func (l Layout) bandwidth() string   { return filepath.Join(l.StateDir, "bandwidth.json") }
func (l Layout) manners() string     { return filepath.Join(l.StateDir, "manners.json") }
func (l Layout) sessionKey() string  { return filepath.Join(l.StateDir, "session.key") }
func (l Layout) daemon() string      { return filepath.Join(l.RunDir, "daemon.json") }

// owner is the file in a run folder that names the state folder that it belongs to.
func (l Layout) owner() string { return filepath.Join(l.RunDir, ownerFile) }

const ownerFile = "state-dir"
