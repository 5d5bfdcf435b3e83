// Package machine makes the machines of the local cloud: systemd as PID 1 in its
// own user, PID, mount, UTS, IPC, cgroup and network namespaces, on an overlay of
// read-only image layers. Root in a machine is nobody on the host.
//
// A launcher process per machine (see RunLauncher) is the parent of its PID 1 and
// outlives the daemon, so machines run on while no daemon does.
package machine

import (
	"context"
	"net/netip"

	"aloft.dev/aloft/internal/cloud/plane/image"
)

// Machine is what the kernel is to hold for one instance.
type Machine struct {
	ID           string            // of the instance, such as i-0123456789abcdef0: a file name
	Hostname     string            // such as ip-10-0-1-5
	Layers       []string          // absolute folders of the image's layers, bottom first
	VCPUs        int               // processors' worth of time it may use
	MemoryMiB    int               // memory it may use
	UIDBase      uint32            // first of its 65536 user and group ids on the host; no other machine has them
	Env          map[string]string // proxy settings and the like, for every process in it
	Nameserver   netip.Addr        // DNS server; the zero Addr means none
	SearchDomain string            // appended to short names, such as ec2.internal; may be empty
}

// State is what has become of a machine.
type State string

// The states of a machine.
const (
	Absent   State = "absent"   // nothing of it is in the kernel: never prepared, stopped, or the host restarted
	Prepared State = "prepared" // namespaces and root filesystem are there, nothing runs yet
	Running  State = "running"  // its PID 1 runs
	Exited   State = "exited"   // its PID 1 ended without having been asked to through Stop
)

// Exit tells how a machine's PID 1 ended.
type Exit string

// The ways to end.
const (
	PowerOff Exit = "power-off" // shut down from inside, in order
	Crash    Exit = "crash"     // killed or broken
)

// Status is what is known of a machine at the moment.
type Status struct {
	ID          string
	State       State
	Exit        Exit   // how it ended, in state Exited
	Detail      string // why it ended, for people, in state Exited
	PID         int    // of its PID 1 on the host, in state Running
	Launcher    int    // process id of its launcher, in states Prepared and Running
	Boots       int    // how often its system was started since it was prepared
	Namespace   string // path of its network namespace; empty in state Absent
	MemoryBytes int64  // memory that its processes use, files they read included
	// layers that it stands on, bottom first, those captured from it included: they must not be
	// removed
	Layers []string
}

// Images is where Capture puts a layer; *image.Store is one.
type Images interface {
	// NewLayerID is an id that no layer has had.
	NewLayerID() string
	// Path is the folder of a layer.
	Path(layer string) string
	// NewDir makes an empty folder on the layers' filesystem, to fill and to freeze.
	NewDir() (dir string, err error)
	// Commit makes the tree in dir, which nobody writes to any more, the layer
	// with the id. dir is gone afterwards.
	Commit(ctx context.Context, dir, layer string) error
}

var _ Images = (*image.Store)(nil)
