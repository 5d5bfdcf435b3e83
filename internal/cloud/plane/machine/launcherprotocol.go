//go:build linux

package machine

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	Root       string `json:"root"`    // directory of the root filesystem on the host
	Devices    string `json:"devices"` // its device folder on the host
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

// Bounds of messages in bytes. The largest request has user data, which is limited itself
// (package userdata). A launcher runs with a machine's ids, so the daemon must not trust the size
// of what it reports.
const (
	maxRequest = 16 << 20
	maxReport  = 64 << 10
)

// reports reads the reports of a launcher, each of which is a line.
type reports struct{ lines *bufio.Scanner }

func newReports(r io.Reader) reports {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxReport)
	return reports{lines}
}

// next returns the next report, or io.EOF after the last.
func (r reports) next() (report, error) {
	var next report
	if !r.lines.Scan() {
		return next, cmp.Or(r.lines.Err(), io.EOF)
	}
	err := json.Unmarshal(r.lines.Bytes(), &next)
	return next, err
}

// readRequest reads a connection's request.
func readRequest(r io.Reader) (request, error) {
	var read request
	if err := json.NewDecoder(io.LimitReader(r, maxRequest)).Decode(&read); err != nil {
		return read, err
	}
	if read.Do == opBoot && read.System == nil {
		return read, errors.New("a request to boot describes no system")
	}
	return read, nil
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
	conn, err := dial(ctx, socket)
	if err != nil {
		return report{}, err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if err := json.NewEncoder(conn).Encode(r); err != nil {
		return report{}, fmt.Errorf("send %s to the launcher: %w", r.Do, err)
	}
	reply, err := newReports(conn).next()
	if err != nil {
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
