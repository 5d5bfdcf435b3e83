//go:build linux

package machine

import (
	"encoding/json"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// bootOrder describes the system to a machine's PID 1, which reads it from the launcher.
type bootOrder struct {
	system
	Console string // path of the terminal that becomes /dev/console
}

// Descriptors that PID 1 inherits, after standard error.
const (
	fdOrder   = 3 + iota // a bootOrder
	fdFailure            // PID 1 writes the error if it fails; closed when it executes systemd
	fdCgroup             // cgroup.procs of the machine's cgroup
)

// runInit turns this process, PID 1 of a new machine, into its systemd. The process is root
// in the machine's user namespace and nobody on the host. runInit returns only if it fails.
func runInit() error {
	for fd := fdOrder; fd <= fdCgroup; fd++ {
		unix.CloseOnExec(fd)
	}
	err := bootSystem()
	_, _ = fmt.Fprint(os.NewFile(fdFailure, "failure"), err)
	return err
}

func bootSystem() error {
	var order bootOrder
	if err := json.NewDecoder(os.NewFile(fdOrder, "order")).Decode(&order); err != nil {
		return fmt.Errorf("read the boot order: %w", err)
	}
	// Enter the machine's cgroup, then unshare the cgroup namespace, whose root is then
	// this cgroup. The launcher runs outside of it and could not clone such a namespace.
	if _, err := unix.Write(fdCgroup, []byte("0")); err != nil {
		return fmt.Errorf("enter cgroup: %w", err)
	}
	if err := unix.Unshare(unix.CLONE_NEWCGROUP); err != nil {
		return fmt.Errorf("unshare cgroups: %w", err)
	}
	if err := unix.Sethostname([]byte(order.Hostname)); err != nil {
		return fmt.Errorf("set the host name: %w", err)
	}
	if err := enterRoot(order); err != nil {
		return err
	}
	if err := writeBootFiles(order); err != nil {
		return err
	}
	if err := assignIdentity(order); err != nil {
		return err
	}
	if err := dropCapabilities(); err != nil {
		return err
	}
	if err := filterSystemCalls(); err != nil {
		return err
	}
	// systemd recognizes the container by this variable (systemd.io/CONTAINER_INTERFACE).
	path := "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	env := []string{"container=aloft", path, "TERM=dumb"}
	if err := syscall.Exec("/sbin/init", []string{"/sbin/init"}, env); err != nil {
		return fmt.Errorf("exec /sbin/init: %w", err)
	}
	return nil
}
