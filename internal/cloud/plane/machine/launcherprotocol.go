//go:build linux

package machine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// request is a request of the daemon to a launcher. They communicate over a Unix socket that
// only root can reach: each connection carries one request and one report, both JSON. The
// reply to a watch request is a report for every change. Launchers outlive the daemon, so
// a daemon must understand the launchers of earlier builds.
type request struct {
	Do     operation `json:"do"`
	System *system   `json:"system,omitempty"` // for boot
}

type operation string

const (
	opReport operation = "report" // return the state
	opBoot   operation = "boot"   // start the system unless it runs
	opHalt   operation = "halt"   // power the system off; reply when it has exited
	opKill   operation = "kill"   // kill the system; reply when it has exited
	opReboot operation = "reboot" // restart the system; reply when it runs again
	opReset  operation = "reset"  // kill the system and start it; reply when it runs again
	opWatch  operation = "watch"  // report every change until the connection closes
)

// system describes the system to start.
type system struct {
	Hostname   string `json:"hostname"`
	Root       string `json:"root"` // directory of the root filesystem on the host
	InstanceID string `json:"instance_id"`
	MemoryMiB  int    `json:"memory_mib"` // from which the sizes of /run and /dev/shm follow

	// Authorities is the file on the host with the trusted certificate authorities. It may
	// be empty.
	Authorities string `json:"authorities"`

	// Files are the files to write below /run: path to content.
	Files map[string]string `json:"files"`
}

// report is a launcher's reply: the state of its machine.
type report struct {
	PID    int    `json:"pid"` // of the launcher
	State  State  `json:"state"`
	Exit   Exit   `json:"exit,omitempty"`
	Detail string `json:"detail,omitempty"`
	Init   int    `json:"init,omitempty"` // process id of the machine's PID 1 on the host
	Boots  int    `json:"boots"`
	Error  string `json:"error,omitempty"` // why the request failed
}

// errNoLauncher is returned for a machine whose launcher does not run.
var errNoLauncher = errors.New("no launcher runs")

func dial(ctx context.Context, socket string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ECONNREFUSED) {
		return nil, errNoLauncher
	}
	if err != nil {
		return nil, fmt.Errorf("connect to the launcher: %w", err)
	}
	return conn, nil
}

// call sends a request to the launcher at the socket and waits for its reply until ctx ends.
func call(ctx context.Context, socket string, r request) (report, error) {
	var reply report
	conn, err := dial(ctx, socket)
	if err != nil {
		return reply, err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if err := json.NewEncoder(conn).Encode(r); err != nil {
		return reply, fmt.Errorf("send %s to the launcher: %w", r.Do, err)
	}
	if err := json.NewDecoder(conn).Decode(&reply); err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil {
			err = ctx.Err()
		}
		return reply, fmt.Errorf("wait for the launcher to %s: %w", r.Do, err)
	}
	if reply.Error != "" {
		return reply, fmt.Errorf("%s: %s", r.Do, reply.Error)
	}
	return reply, nil
}
