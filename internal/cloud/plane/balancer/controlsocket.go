//go:build linux

package balancer

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Protocol is the version of the protocol between daemon and balancer process. The
// daemon stops a process of another version and starts a new one.
const Protocol = 4

// About identifies the processes of the balancer.
type About struct {
	Protocol int    `json:"protocol"`
	Program  string `json:"program"` // Identify of what they run
	PID      int    `json:"pid"`     // of the balancer process; 0: there is none now
	Keeper   int    `json:"keeper"`  // PID of the keeper
}

// Successor is a program that takes over from another one.
type Successor struct {
	Command []string `json:"command"` // that runs process.Run
	Args    []string `json:"args"`    // of the keeper
}

// ReadyLine is the line that the keeper prints once the balancer process serves.
const ReadyLine = "ready\n"

// Identify distinguishes the program in a file from others, and from other versions of it.
func Identify(path string) (string, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return "", fmt.Errorf("identify a program: %w", &os.PathError{Op: "stat", Path: path, Err: err})
	}
	return fmt.Sprintf("%d:%d:%d:%d", st.Dev, st.Ino, st.Size, st.Mtim.Nano()), nil
}

// KeeperSocketPath returns the path of the keeper's control socket in the balancer's folder.
func KeeperSocketPath(dir string) string { return filepath.Join(dir, "keeper.sock") }

// SocketPath returns the path of the balancer process's control socket in the balancer's folder.
func SocketPath(dir string) string { return filepath.Join(dir, "balancer.sock") }

// OrphanSocketPath returns the path of the socket at which a balancer process whose keeper was
// killed awaits the next one.
func OrphanSocketPath(dir string) string { return filepath.Join(dir, "orphan.sock") }

// LockPath returns the path of the file that the process in the folder locks.
func LockPath(dir string) string { return filepath.Join(dir, "balancer.lock") }

// logPath returns the path of the process's log.
func logPath(dir string) string { return filepath.Join(dir, "balancer.log") }
