//go:build linux

package keeper

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

// Remote is the Keeper of another process. It has duplicates of what that keeps, so that the
// next keeper can continue if this one is killed.
type Remote struct {
	mu   sync.Mutex // one request at a time
	conn *net.UnixConn
	kept Keeper
}

var _ Sockets = (*Remote)(nil)

// NewRemote returns the keeper at the other end of a connected socket, which it owns.
func NewRemote(conn *net.UnixConn) *Remote { return &Remote{conn: conn} }

// call sends a request and returns the response with its descriptors.
func (r *Remote) call(what request, fds ...int) (answer response, out []int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := send(r.conn, what, fds); err != nil {
		return answer, nil, fmt.Errorf("ask the balancer's keeper: %w", err)
	}
	out, err = receive(r.conn, &answer)
	if err != nil {
		return answer, nil, fmt.Errorf("ask the balancer's keeper: %w", err)
	}
	if answer.Error != "" {
		closeAll(out)
		return answer, nil, errors.New(answer.Error)
	}
	return answer, out, nil
}

// one returns the only descriptor of an answer.
func one(fds []int, err error) (int, error) {
	switch {
	case err != nil:
		return -1, err
	case len(fds) != 1:
		closeAll(fds)
		return -1, fmt.Errorf("the balancer's keeper answered with %d descriptors", len(fds))
	}
	return fds[0], nil
}

// Find returns the namespace at the path.
func (r *Remote) Find(path string) (Namespace, error) {
	if path == "" {
		return Namespace{}, nil
	}
	answer, _, err := r.call(request{Op: find, Namespace: Namespace{Path: path}})
	return answer.Namespace, err
}

// Listen returns a listening socket.
func (r *Remote) Listen(in Namespace, at netip.AddrPort) (int, error) {
	_, fds, err := r.call(request{Op: listen, Namespace: in, At: at})
	if err == nil && len(fds) == 0 {
		return -1, nil
	}
	fd, err := one(fds, err)
	if err != nil {
		return -1, err
	}
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return -1, errors.Join(os.NewSyscallError("fcntl", err), unix.Close(fd))
	}
	r.kept.keep(place{in.ID, at}, os.NewFile(uintptr(own), at.String()))
	return fd, nil
}

// Forget closes the keeper's duplicate of a listening socket, and the Remote's.
func (r *Remote) Forget(in Namespace, at netip.AddrPort) error {
	_, _, err := r.call(request{Op: forget, Namespace: in, At: at})
	return errors.Join(err, r.kept.Forget(in, at))
}

// Release closes all duplicates.
func (r *Remote) Release() error { return r.kept.Close() }

// Bequeath hands over what the keeper had to the next one.
func (r *Remote) Bequeath(to *net.UnixConn) error {
	r.kept.mu.Lock() // nothing is closed before it is sent
	defer r.kept.mu.Unlock()
	return r.kept.state().send(to)
}

// Connecting returns sockets of a family to connect from the namespace. It may return fewer than
// n. Both processes share their own namespace.
func (r *Remote) Connecting(in Namespace, family socket.Family, n int) ([]int, error) {
	if in.Path == "" {
		fd, err := socket.NewSocket(family)
		return []int{fd}, err
	}
	_, fds, err := r.call(request{Op: connecting, Namespace: in, Family: family, N: n})
	return fds, err
}

// Remember keeps the text for the process after this one.
func (r *Remote) Remember(name string, text []byte) error {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("memfd_create", err)
	}
	file := os.NewFile(uintptr(fd), name)
	if _, err := file.Write(text); err != nil {
		return errors.Join(err, file.Close())
	}
	_, _, err = r.call(request{Op: remember, Name: name}, int(file.Fd()))
	return errors.Join(err, r.kept.Remember(name, file))
}

// Recall returns the text that Remember has kept; nil if there is none.
func (r *Remote) Recall(name string) ([]byte, error) {
	_, fds, err := r.call(request{Op: recall, Name: name})
	if err != nil || len(fds) == 0 {
		return nil, err
	}
	fd, err := one(fds, nil)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), name)
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	text, err := io.ReadAll(io.NewSectionReader(file, 0, info.Size())) // the offset is shared with the writer
	return text, errors.Join(err, r.kept.Remember(name, file))
}

// Ready tells the keeper that this process serves.
func (r *Remote) Ready() error {
	_, _, err := r.call(request{Op: ready})
	return err
}
