//go:build linux

package process

import (
	"path/filepath"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/confinement"
)

// workerID is the user and group of the balancer process. Like the ids of machines, which
// begin after it, it belongs to nobody.
const workerID = 0x0fffffff

// rootPath returns the folder that becomes the process's root directory.
func rootPath(dir string) string { return filepath.Join(dir, "root") }

// confine gives up everything that the balancer process does not need: files other than the
// access logs, the user root, all capabilities, and most system calls. What is left connects
// and serves sockets that the keeper has made. There is no way to start a program, to listen
// at a port, or to enter a namespace. The keeper has given the process a mount namespace of
// its own.
func confine(logs, dir string) error {
	return confinement.Confinement{
		User: workerID, Root: rootPath(dir), Folder: logs, Families: []uint32{unix.AF_INET},
		Calls: []uint32{
			unix.SYS_BIND, unix.SYS_CONNECT, unix.SYS_ACCEPT4, unix.SYS_SHUTDOWN,
			unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME, unix.SYS_GETSOCKOPT, unix.SYS_SETSOCKOPT,
			unix.SYS_SENDTO, unix.SYS_RECVFROM, unix.SYS_SENDMSG, unix.SYS_RECVMSG, unix.SYS_SPLICE,
			unix.SYS_MKDIRAT, unix.SYS_RENAMEAT, unix.SYS_MEMFD_CREATE, unix.SYS_PREAD64, unix.SYS_WRITEV,
			unix.SYS_LSEEK,
		},
	}.Enter()
}
