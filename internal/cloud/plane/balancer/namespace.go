package balancer

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

// namespace is a network namespace to listen and dial in. A socket belongs for
// life to the namespace in which its thread made it, so only that moment needs
// a thread there.
type namespace struct {
	id   string // tells a namespace from a later one at the same path
	mu   sync.RWMutex
	file *os.File // nil: the process's own
	home *os.File // that one; nil with file
}

// openNamespace opens the namespace at path; an empty path is the process's own.
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

// namespaceID tells which namespace is at the path now.
func namespaceID(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return "", fmt.Errorf("look at network namespace %s: %w", path, err)
	}
	return fmt.Sprintf("%s#%d:%d", path, st.Dev, st.Ino), nil
}

func (n *namespace) close() error {
	if n.file == nil {
		return nil
	}
	n.mu.Lock() // not while a thread is about to enter by the descriptor
	defer n.mu.Unlock()
	return errors.Join(n.file.Close(), n.home.Close())
}

// enter runs do on a thread that is in the namespace.
func (n *namespace) enter(do func() error) error {
	if n.file == nil {
		return do()
	}
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		result <- n.visit(do)
	}()
	return <-result
}

// visit runs do while the thread, which has to be the caller's alone, is in the
// namespace. One that does not come back must not go on: whatever it opens next would be
// in a VPC.
func (n *namespace) visit(do func() error) error {
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
	err := n.enter(func() (err error) {
		l, err = socket.Listen(at)
		return err
	})
	return l, err
}

// dial connects from an address of the namespace. Only the socket is made
// there; waiting for the connection holds no thread. For loop see socket.Dial.
func (n *namespace) dial(
	ctx context.Context,
	loop *socket.Loop,
	from netip.Addr,
	to netip.AddrPort,
) (*socket.Conn, error) {
	there := n.enter
	if loop != nil { // it has a thread of its own
		there = n.visit
	}
	fd := -1
	err := there(func() (err error) {
		fd, err = socket.NewSocket()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("make a socket: %w", err)
	}
	return socket.Dial(ctx, loop, fd, from, to)
}
