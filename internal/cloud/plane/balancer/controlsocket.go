//go:build linux

package balancer

import "path/filepath"

// Protocol is the version of the protocol between daemon and balancer process. The
// daemon replaces a process of another version.
const Protocol = 3

// About identifies the process behind a control socket.
type About struct {
	Protocol int `json:"protocol"`
	PID      int `json:"pid"`
}

// SocketPath returns the path of the control socket in the balancer's folder.
func SocketPath(dir string) string { return filepath.Join(dir, "balancer.sock") }

// LockPath returns the path of the file that the process in the folder locks.
func LockPath(dir string) string { return filepath.Join(dir, "balancer.lock") }

// LogPath returns the path of the process's log.
func LogPath(dir string) string { return filepath.Join(dir, "balancer.log") }
