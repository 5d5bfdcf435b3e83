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

// The daemon and a launcher speak over a unix socket that only root can reach:
// one JSON request, one JSON reply; watch is answered by a report a change.
type request struct {
	Do     operation `json:"do"`
	System *system   `json:"system,omitempty"` // for boot
}

type operation string

const (
	opReport operation = "report" // tell the state
	opBoot   operation = "boot"   // start the system unless it runs
	opHalt   operation = "halt"   // ask the system to power off, reply when it has ended
	opKill   operation = "kill"   // kill the system, reply when it has ended
	opReboot operation = "reboot" // ask the system to restart, reply when it has
	opReset  operation = "reset"  // kill the system and start it again
	opWatch  operation = "watch"  // report every change until the connection ends
)

// system is what the launcher starts.
type system struct {
	Hostname    string            `json:"hostname"`
	Root        string            `json:"root"` // folder of the root filesystem, as the host sees it
	InstanceID  string            `json:"instance_id"`
	Authorities string            `json:"authorities"` // file of the host with the certificate authorities to trust; may be empty
	Files       map[string]string `json:"files"`       // below /run, gone with the system: path to content
}

// report is what a launcher says of its machine.
type report struct {
	PID    int    `json:"pid"` // of the launcher
	State  State  `json:"state"`
	Exit   Exit   `json:"exit,omitempty"`
	Detail string `json:"detail,omitempty"`
	Init   int    `json:"init,omitempty"` // process id of the machine's PID 1
	Boots  int    `json:"boots"`
	Error  string `json:"error,omitempty"` // why the request was not done
}

// errNoLauncher tells that no launcher runs for a machine.
var errNoLauncher = errors.New("no launcher runs")

func dial(ctx context.Context, socket string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ECONNREFUSED) {
		return nil, errNoLauncher
	}
	if err != nil {
		return nil, fmt.Errorf("reach the launcher: %w", err)
	}
	return conn, nil
}

// call asks the launcher at the socket and waits for its reply until ctx ends.
func call(ctx context.Context, socket string, r request) (report, error) {
	var reply report
	conn, err := dial(ctx, socket)
	if err != nil {
		return reply, err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if err := json.NewEncoder(conn).Encode(r); err != nil {
		return reply, fmt.Errorf("ask the launcher to %s: %w", r.Do, err)
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
