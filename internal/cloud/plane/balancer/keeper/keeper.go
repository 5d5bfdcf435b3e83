//go:build linux

// Package keeper makes the sockets of load balancer nodes in their network namespaces, and
// keeps what has to outlive the process that serves: listening sockets, so that clients wait
// and are not refused while another process takes over, and what that process has to know.
// The process that serves needs no privileges of its own. It calls a Keeper in its parent
// process through a Remote.
package keeper

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
	"aloft.dev/aloft/internal/cloud/plane/loopback"
	"aloft.dev/aloft/internal/cloud/plane/thread"
)

// Namespace is a network namespace as it was when it was found. The zero Namespace is the
// process's own.
type Namespace struct {
	Path string `json:"path"`
	ID   string `json:"id"` // differs from that of a later namespace at the same path
}

// Sockets makes sockets. Keeper and Remote implement it.
type Sockets interface {
	// Find returns the namespace that is at the path now.
	Find(path string) (Namespace, error)
	// Listen returns a socket that listens for TCP at the address, which may be one that
	// was returned before. The caller owns the descriptor. It is -1 if the address is one of
	// IPv6 and the host does not have it.
	Listen(in Namespace, at netip.AddrPort) (fd int, err error)
	// Forget closes what Listen has kept.
	Forget(in Namespace, at netip.AddrPort) error
	// Connecting returns n sockets of a family to connect from the namespace, which the caller
	// owns. Those of IPv4 can have the addresses of others, as far as the firewall lets them.
	Connecting(in Namespace, family socket.Family, n int) (fds []int, err error)
}

// maxMemories bounds how many memories are kept.
const maxMemories = 8

// Keeper makes and keeps sockets. The zero Keeper is ready for use and enters any namespace.
type Keeper struct {
	Dir string // folder of the namespaces that it enters; empty: all

	mu        sync.Mutex
	listening map[place]*os.File
	memories  map[string]*os.File
}

// place is where a socket listens.
type place struct {
	namespace string // its ID
	at        netip.AddrPort
}

var _ Sockets = (*Keeper)(nil)

// Find returns the namespace at the path.
func (k *Keeper) Find(path string) (Namespace, error) {
	if path == "" {
		return Namespace{}, nil
	}
	if k.Dir != "" && filepath.Dir(path) != filepath.Clean(k.Dir) || strings.HasPrefix(filepath.Base(path), ".") {
		return Namespace{}, fmt.Errorf("%s is not the network namespace of a node", path)
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return Namespace{}, fmt.Errorf("stat network namespace %s: %w", path, err)
	}
	return Namespace{path, namespaceID(path, &st)}, nil
}

func namespaceID(path string, st *unix.Stat_t) string {
	return fmt.Sprintf("%s#%d:%d", path, st.Dev, st.Ino)
}

// Listen listens at the address, and keeps the socket for the next caller.
func (k *Keeper) Listen(in Namespace, at netip.AddrPort) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	kept := k.listening[place{in.ID, at}]
	if kept == nil {
		var err error
		kept, err = k.listen(in, at)
		if at.Addr().Is6() && (errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.EAFNOSUPPORT)) {
			return -1, nil
		}
		if err != nil {
			return -1, err
		}
		k.put(place{in.ID, at}, kept)
	}
	return duplicate(kept)
}

// put adds a listening socket. The caller holds the lock.
func (k *Keeper) put(at place, socket *os.File) {
	if k.listening == nil {
		k.listening = map[place]*os.File{}
	}
	k.listening[at] = socket
}

// keep keeps a listening socket in place of the last one.
func (k *Keeper) keep(at place, socket *os.File) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if last := k.listening[at]; last != nil {
		_ = last.Close()
	}
	k.put(at, socket)
}

func (k *Keeper) listen(in Namespace, at netip.AddrPort) (*os.File, error) {
	var l *socket.Listener
	err := k.run(in, func() (err error) {
		l, err = socket.Listen(at)
		return err
	})
	if in.Path == "" && errors.Is(err, unix.EADDRINUSE) {
		return nil, occupied(at, err)
	}
	if err != nil {
		return nil, err
	}
	fd, err := l.Detach()
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), at.String()), nil
}

// occupied returns an error that names who listens at an address of the host.
func occupied(at netip.AddrPort, err error) error {
	listener, unknown := loopback.FindListener(at)
	if unknown != nil {
		return err
	}
	return fmt.Errorf("%s listens there: end it, or choose another load_balancer.port in aloft.yaml: %w", listener, err)
}

func duplicate(of *os.File) (int, error) {
	fd, err := unix.FcntlInt(of.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	return fd, os.NewSyscallError("fcntl", err)
}

// Forget closes the listening socket.
func (k *Keeper) Forget(in Namespace, at netip.AddrPort) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	kept := k.listening[place{in.ID, at}]
	if kept == nil {
		return nil
	}
	delete(k.listening, place{in.ID, at})
	return kept.Close()
}

// Connecting makes n sockets of a family to connect from the namespace.
func (k *Keeper) Connecting(in Namespace, family socket.Family, n int) (fds []int, err error) {
	err = k.run(in, func() error {
		for range n {
			fd, err := newSocket(in, family)
			if err != nil {
				return err
			}
			fds = append(fds, fd)
		}
		return nil
	})
	if err != nil && len(fds) == 0 {
		return nil, err
	}
	return fds, nil
}

// newSocket returns a socket of a family to connect from the namespace of the calling thread.
func newSocket(in Namespace, family socket.Family) (int, error) {
	fd, err := socket.NewSocket(family)
	if err != nil || in.Path == "" {
		return fd, err
	}
	if err := socket.AllowForeignAddress(fd, family); err != nil {
		return -1, errors.Join(err, unix.Close(fd))
	}
	return fd, nil
}

// run runs do on a thread in the namespace. A socket belongs for life to the namespace of
// the thread that created it, so only that moment needs such a thread.
func (k *Keeper) run(in Namespace, do func() error) error {
	if in.Path == "" {
		return do()
	}
	if now, err := k.Find(in.Path); err != nil {
		return err
	} else if now != in {
		return fmt.Errorf("network namespace %s was replaced", in.Path)
	}
	file, err := os.Open(in.Path)
	if err != nil {
		return fmt.Errorf("open network namespace: %w", err)
	}
	defer func() { _ = file.Close() }()
	return thread.RunDisposable(func() error {
		if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("enter network namespace: %w", err)
		}
		return do()
	})
}

// Remember keeps a memory for the next process, in place of the last one of that name. It
// owns the file.
func (k *Keeper) Remember(name string, memory *os.File) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	old := k.memories[name]
	if old == nil && len(k.memories) >= maxMemories {
		return errors.Join(fmt.Errorf("no room for the memory %q", name), memory.Close())
	}
	if k.memories == nil {
		k.memories = map[string]*os.File{}
	}
	k.memories[name] = memory
	if old != nil {
		return old.Close()
	}
	return nil
}

// Recall returns what Remember has kept, or -1 if there is nothing. The caller owns the
// descriptor.
func (k *Keeper) Recall(name string) (fd int, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	memory := k.memories[name]
	if memory == nil {
		return -1, nil
	}
	return duplicate(memory)
}

// Close closes everything that is kept.
func (k *Keeper) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var errs []error
	for _, f := range k.listening {
		errs = append(errs, f.Close())
	}
	for _, f := range k.memories {
		errs = append(errs, f.Close())
	}
	k.listening, k.memories = nil, nil
	return errors.Join(errs...)
}
