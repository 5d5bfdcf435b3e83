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
	return &namespace{file: file, id: id}, nil
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
	return n.file.Close()
}

// enter runs do on a thread that is in the namespace. A thread that cannot
// return home is not used again: it ends with its goroutine.
func (n *namespace) enter(do func() error) error {
	if n.file == nil {
		return do()
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		home, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			runtime.UnlockOSThread()
			result <- fmt.Errorf("open the thread's network namespace: %w", err)
			return
		}
		defer func() { _ = home.Close() }()
		if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
			runtime.UnlockOSThread()
			result <- fmt.Errorf("enter network namespace: %w", err)
			return
		}
		err = do()
		if unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		result <- err
	}()
	return <-result
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
// there; waiting for the connection holds no thread.
func (n *namespace) dial(ctx context.Context, from netip.Addr, to netip.AddrPort) (*socket.Conn, error) {
	fd := -1
	err := n.enter(func() (err error) {
		fd, err = socket.Make()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("make a socket: %w", err)
	}
	return socket.Dial(ctx, fd, from, to)
}
