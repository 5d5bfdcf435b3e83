//go:build linux

package engine

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

// namespace is a network namespace in which to listen and dial. A socket belongs for
// life to the namespace of the thread that created it, so only that moment needs a
// thread in the namespace.
type namespace struct {
	id   string // differs from that of a later namespace at the same path
	mu   sync.RWMutex
	file *os.File // nil: the process's own namespace
	home *os.File // the process's own namespace; nil if file is
}

// openNamespace opens the namespace at path. An empty path is the process's own.
func openNamespace(path string) (*namespace, error) {
	if path == "" {
		return &namespace{}, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open network namespace: %w", err)
	}
	id, err := namespaceID(path)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the process's network namespace: %w", err), file.Close())
	}
	return &namespace{file: file, home: home, id: id}, nil
}

// namespaceID identifies the namespace that is at the path now.
func namespaceID(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return "", fmt.Errorf("stat network namespace %s: %w", path, err)
	}
	return fmt.Sprintf("%s#%d:%d", path, st.Dev, st.Ino), nil
}

func (n *namespace) close() error {
	if n.file == nil {
		return nil
	}
	n.mu.Lock() // a thread may be about to use the descriptor
	defer n.mu.Unlock()
	return errors.Join(n.file.Close(), n.home.Close())
}

// run runs do on a thread in the namespace.
func (n *namespace) run(do func() error) error {
	if n.file == nil {
		return do()
	}
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		result <- n.runOnThread(do)
	}()
	return <-result
}

// runOnThread runs do while the calling thread is in the namespace. The thread must
// be locked to the caller. If it cannot return, it panics: everything that it opened
// afterwards would be inside a VPC.
func (n *namespace) runOnThread(do func() error) error {
	if n.file == nil {
		return do()
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter network namespace: %w", err)
	}
	defer func() {
		if err := unix.Setns(int(n.home.Fd()), unix.CLONE_NEWNET); err != nil {
			panic(fmt.Sprintf("a thread cannot leave network namespace %s: %v", n.id, err))
		}
	}()
	return do()
}

// listen listens for TCP at the address inside the namespace.
func (n *namespace) listen(at netip.AddrPort) (*socket.Listener, error) {
	var l *socket.Listener
	err := n.run(func() (err error) {
		l, err = socket.Listen(at)
		return err
	})
	return l, err
}

// dial connects from an address of the namespace. Only creating the socket happens
// there; waiting for the connection holds no thread. For loop see socket.Dial.
func (n *namespace) dial(
	ctx context.Context, loop *socket.Loop, from netip.Addr, to netip.AddrPort,
) (*socket.Conn, error) {
	run := n.run
	if loop != nil { // a loop is locked to its thread
		run = n.runOnThread
	}
	fd := -1
	err := run(func() (err error) {
		fd, err = socket.NewSocket()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("create a socket: %w", err)
	}
	return socket.Dial(ctx, loop, fd, from, to)
}
