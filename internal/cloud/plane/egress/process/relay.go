//go:build linux

package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// chunk is the size of one read from a connection, in bytes.
type chunk [64 << 10]byte

// relay is a pair of connections that bytes are copied between. While nothing arrives, it
// holds no memory but its two stacks, and no descriptor but its two sockets.
type relay struct {
	*server
	latest atomic.Int64 // when it last carried something, in nanoseconds
}

// relay copies in both directions, and half-closes each side when the other ends, until both
// have ended or have been quiet for too long.
func (s *server) relay(ctx context.Context, a, b *net.TCPConn) {
	stop := context.AfterFunc(ctx, func() { _, _ = a.Close(), b.Close() })
	defer stop()
	r := &relay{server: s}
	r.latest.Store(time.Now().UnixNano())
	var running sync.WaitGroup
	for _, direction := range [][2]*net.TCPConn{{a, b}, {b, a}} {
		from, to := direction[0], direction[1]
		running.Go(func() {
			if err := r.copy(to, from); err != nil {
				// One side was reset, or both are quiet. Reset the other, which waits for
				// nothing now.
				_, _ = to.SetLinger(0), from.SetLinger(0)
				_, _ = to.Close(), from.Close()
				return
			}
			_ = to.CloseWrite()
		})
	}
	running.Wait()
}

// copy copies from one connection to the other until from ends.
func (r *relay) copy(to, from *net.TCPConn) error {
	raw, err := from.SyscallConn()
	if err != nil {
		return fmt.Errorf("carry a connection: %w", err)
	}
	for {
		quiet := time.Unix(0, r.latest.Load()).Add(r.idle)
		if err := from.SetReadDeadline(quiet); err != nil {
			return fmt.Errorf("carry a connection: %w", err)
		}
		data, n, err := r.read(raw)
		if errors.Is(err, os.ErrDeadlineExceeded) && time.Now().Before(time.Unix(0, r.latest.Load()).Add(r.idle)) {
			continue // the other direction carried something
		}
		if err != nil {
			return err
		}
		if n > 0 {
			err = r.write(to, data[:n])
		}
		r.chunks.Put(data)
		if err != nil || n == 0 {
			return err
		}
	}
}

// read waits until the connection has data and then takes a chunk, which the caller returns.
// At the connection's end, n is 0.
func (r *relay) read(raw syscall.RawConn) (data *chunk, n int, err error) {
	waitErr := raw.Read(func(fd uintptr) (done bool) {
		data = r.chunks.Get().(*chunk)
		n, err = unix.Read(int(fd), data[:])
		for errors.Is(err, unix.EINTR) {
			n, err = unix.Read(int(fd), data[:])
		}
		if err != nil {
			r.chunks.Put(data)
		}
		return !errors.Is(err, unix.EAGAIN)
	})
	if err = errors.Join(waitErr, err); err != nil {
		return nil, 0, fmt.Errorf("read from a connection: %w", err)
	}
	return data, n, nil
}

func (r *relay) write(to *net.TCPConn, data []byte) error {
	if err := to.SetWriteDeadline(time.Now().Add(r.idle)); err != nil {
		return fmt.Errorf("carry a connection: %w", err)
	}
	if _, err := to.Write(data); err != nil {
		return fmt.Errorf("write to a connection: %w", err)
	}
	r.latest.Store(time.Now().UnixNano())
	return nil
}
