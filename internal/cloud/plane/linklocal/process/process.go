//go:build linux

// Package process is the link-local process: it talks to machines, and asks the daemon, without
// any privileges. It opens no sockets but pairs for its calls; all others come from the daemon.
package process

import (
	"io"
	"log/slog"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/companion"
	"aloft.dev/aloft/internal/cloud/plane/confinement"
)

// userID is the user and group of the process. Like the ids of machines, which begin after
// it, it belongs to nobody else.
const userID = 0x0ffffffd

// Run runs the link-local process and returns its exit code. Its one argument is the process's
// folder. It returns when it is told to stop (linklocal.Client.Stop or SIGTERM). The program
// that the client starts does nothing but call it.
func Run(args []string, log io.Writer) int {
	return companion.Run(companion.Role{
		Name: "linklocal",
		Confinement: confinement.Confinement{
			User: userID, Families: []uint32{unix.AF_UNIX}, // for socketpair(2): there is no connect(2)
			Calls: []uint32{
				unix.SYS_SOCKETPAIR, unix.SYS_ACCEPT4, unix.SYS_SHUTDOWN,
				unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME, unix.SYS_GETSOCKOPT, unix.SYS_SETSOCKOPT,
				unix.SYS_SENDTO, unix.SYS_RECVFROM, unix.SYS_SENDMSG, unix.SYS_RECVMSG, unix.SYS_WRITEV,
			},
		},
		New: func(files int, log *slog.Logger) companion.Answerer { return newControl(files, log) },
	}, args, log)
}
