//go:build linux

package loopback

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Listener describes a process that listens on a port.
type Listener struct {
	UID  int
	PID  int    // 0: not known; only root can learn it of other users' processes
	Name string // of the process: "nginx"
}

// String returns the listener for a message: "nginx (pid 17, user 33)".
func (l Listener) String() string {
	if l.PID == 0 {
		return fmt.Sprintf("a program of user %d", l.UID)
	}
	return fmt.Sprintf("%s (pid %d, user %d)", l.Name, l.PID, l.UID)
}

// anyPort is the port of a client that the search for a listener assumes. Nobody has it.
const anyPort = 0

// FindListener returns who gets a new connection to an address of this host. The error
// wraps ErrNoSocket if nobody does.
func FindListener(at netip.AddrPort) (Listener, error) {
	s, err := find(at, netip.AddrPortFrom(at.Addr(), anyPort))
	if err != nil {
		return Listener{}, err
	}
	l := Listener{UID: s.uid}
	l.PID, l.Name = processOf(s.inode)
	return l, nil
}

// processOf returns a process that has a socket open, or 0 (proc(5), /proc/pid/fd).
func processOf(inode uint32) (pid int, name string) {
	want := fmt.Sprintf("socket:[%d]", inode)
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*") // the pattern is well-formed
	for _, link := range links {
		if target, err := os.Readlink(link); err != nil || target != want {
			continue
		}
		process := filepath.Dir(filepath.Dir(link))
		if _, err := fmt.Sscanf(filepath.Base(process), "%d", &pid); err != nil {
			continue
		}
		comm, _ := os.ReadFile(filepath.Join(process, "comm")) // the process may have ended
		return pid, strings.TrimSpace(string(comm))
	}
	return 0, ""
}

// ErrStranger is returned for a connection to a port of another user.
var ErrStranger = errors.New("another user listens there")

// CheckServer returns an error that wraps ErrStranger unless the port that a connection was
// made to is a user's. Signatures authenticate clients, not servers: who listens there in
// the server's place would get all requests, with the secrets in them.
func CheckServer(conn net.Conn, uid int) error {
	to, err := addrPort(conn.RemoteAddr())
	if err != nil {
		return err
	}
	s, err := find(to, netip.AddrPortFrom(to.Addr(), anyPort))
	if err != nil {
		return err
	}
	if s.state != unix.BPF_TCP_LISTEN || s.uid != uid {
		return fmt.Errorf("connect to %s: %w: user %d, not %d", to, ErrStranger, s.uid, uid)
	}
	return nil
}

// UserOf returns the user who made a connection to this process. It is false if the client
// has closed its end, or is not on this host.
func UserOf(conn net.Conn) (uid int, ok bool) {
	client, err := addrPort(conn.RemoteAddr())
	if err != nil {
		return 0, false
	}
	server, err := addrPort(conn.LocalAddr())
	if err != nil {
		return 0, false
	}
	s, err := find(client, server)
	// The kernel says user 0 of a socket that no process has open.
	return s.uid, err == nil && s.state == unix.BPF_TCP_ESTABLISHED && s.inode != 0
}
