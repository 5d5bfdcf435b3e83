//go:build linux

// Package machine runs the machines of the local cloud. A machine is a systemd as PID 1 in
// user, PID, mount, UTS, IPC, cgroup and network namespaces of its own, on an overlay of
// read-only image layers. Root in a machine is nobody on the host.
//
// Each machine has a launcher process (see RunLauncher), which is the parent of its PID 1.
// Launchers outlive the daemon, so machines keep running while no daemon runs.
package machine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/image"
)

// idsPerMachine is how many user ids, and as many group ids, a machine has.
const idsPerMachine = 1 << 16

// Machine describes the machine behind an instance. It is part of a machine's record on
// disk, under these field names.
type Machine struct {
	ID           string            // of the instance, such as i-0123456789abcdef0; used as a file name
	Hostname     string            // such as ip-10-0-1-5
	Layers       []string          // absolute directories of the image's layers, bottom first
	VCPUs        int               // limit of processor time, in processors
	CPUWeight    int               // share of processor time beside other machines, 1 to 10000; 0: 100
	MemoryMiB    int               // limit of memory
	DiskGiB      int               // size of its disk; the image's layers do not count
	DiskRate     DiskRate          // limit of what it reads from disks, and of what it writes
	PacketRate   int               // limit of the packets that it sends in a second; 0: none
	Volumes      []Volume          // its block devices besides the disk
	UIDBase      uint32            // first of its 65536 user and group ids on the host; no other machine has them
	Env          map[string]string // environment of every process, such as proxy settings
	Nameservers  []netip.Addr      // DNS servers
	UserData     string            // shell program that root runs at every boot; empty: none
	AptBusy      time.Duration     // after each boot another apt holds its locks so long; 0: none does
	SearchDomain string            // appended to short names, such as ec2.internal; may be empty
	NewConsole   bool              // forget the console output of earlier starts
}

// State is the state of a machine.
type State string

// The states of a machine.
const (
	Absent   State = "absent"   // nothing of it is in the kernel: never prepared, stopped, or the host restarted
	Prepared State = "prepared" // it has namespaces and a root filesystem; its system does not run
	Running  State = "running"  // its PID 1 runs
	Exited   State = "exited"   // its PID 1 exited without a call of Stop
)

// Exit is the way a machine's PID 1 exited.
type Exit string

// The ways to exit.
const (
	PowerOff Exit = "power-off" // shut down from inside
	Crash    Exit = "crash"     // killed or failed
)

// Status is the current status of a machine.
type Status struct {
	ID          string
	State       State
	Exit        Exit     // in state Exited
	Detail      string   // the cause of the exit as a text for people, in state Exited
	PID         int      // process id of its PID 1 on the host, in state Running
	Launcher    int      // process id of its launcher, in states Prepared and Running
	Boots       int      // number of starts of its system since it was prepared
	Namespace   string   // path of its network namespace; empty in state Absent
	MemoryBytes int64    // memory in use, including the page cache
	Layers      []string // its layers, bottom first, including those captured from it; they must not be removed
}

// Images stores the layers that Capture creates. *image.Store implements it.
type Images interface {
	// NewLayerID returns an id that no layer has had.
	NewLayerID() string
	// Path returns the path of a layer: a directory or a disk.
	Path(layer string) string
	// NewDir creates an empty directory on the layers' filesystem, for the caller to fill
	// and Commit.
	NewDir() (dir string, err error)
	// Commit moves a directory of files or a disk, which must not be written to any longer,
	// into the store as the layer with the given id.
	Commit(ctx context.Context, path, layer string) error
}

var _ Images = (*image.Store)(nil)

var validID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// validate returns an error if no machine can be created from the description.
func (m Machine) validate() error {
	switch {
	case !validID.MatchString(m.ID):
		return fmt.Errorf("%q is not a valid machine id", m.ID)
	case len(m.Layers) == 0:
		return errors.New("it has no layers")
	case m.UIDBase < idsPerMachine:
		return fmt.Errorf("its user ids begin at %d, among those of the host", m.UIDBase)
	case m.VCPUs < 1 || m.MemoryMiB < 1 || m.DiskGiB < 1:
		return fmt.Errorf("%d vCPUs, %d MiB and %d GiB are not enough", m.VCPUs, m.MemoryMiB, m.DiskGiB)
	}
	return nil
}

// diskBytes returns the size of the machine's disk. Records of earlier versions lack it: no
// volume was smaller than those of the base images.
func (m Machine) diskBytes() int64 {
	const baseImageGiB = 8
	return int64(cmp.Or(m.DiskGiB, baseImageGiB)) << 30
}
