//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// isolated reports whether this process is the first of its process namespace.
func isolated() bool { return os.Getpid() == 1 }

// isolate runs this program again in new process and network namespaces. When the first
// process of a process namespace ends, the kernel ends all others (pid_namespaces(7)),
// and the network namespace goes with them.
func isolate(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, os.Args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
		Setpgid:    true,
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.Is(err, syscall.EPERM):
		return fmt.Errorf("create namespaces: %w: run it as root", err)
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		os.Exit(exit.ExitCode()) // it has printed the reason
	}
	return err
}

// setLoopbackUp enables the loopback of a new network namespace.
func setLoopbackUp() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(socket) }()
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request)
}

// silence drops all packets from and to a port on input, so that senders learn nothing,
// as when a machine loses its network.
func silence(ctx context.Context, port int) error {
	cmd := exec.CommandContext(ctx, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(fmt.Sprintf(`add table ip silence
add chain ip silence incoming { type filter hook input priority 0; }
add rule ip silence incoming tcp dport %[1]d drop
add rule ip silence incoming tcp sport %[1]d drop
`, port))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("drop the packets of port %d: %w: %s", port, err, out)
	}
	return nil
}
