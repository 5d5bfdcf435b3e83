//go:build linux

package keeper

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Serve answers the requests of a Remote until its process has ended, or the connection's
// deadline has passed. It calls onReady when that process serves.
func (k *Keeper) Serve(conn *net.UnixConn, onReady func()) error {
	for {
		var r request
		fds, err := receive(conn, &r)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed), errors.Is(err, unix.ECONNRESET),
			errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case err != nil:
			return fmt.Errorf("read a request of the balancer: %w", err)
		}
		if r.Op == ready {
			onReady()
		}
		answer, out, err := k.answer(r, fds)
		if err != nil {
			answer.Error = err.Error()
		}
		err = send(conn, answer, out)
		closeAll(out)
		if err != nil {
			return nil //nolint:nilerr // the process has just ended
		}
	}
}

// answer carries out a request. It takes ownership of the request's descriptors; the caller
// owns those of the answer.
func (k *Keeper) answer(r request, in []int) (answer response, out []int, err error) {
	if r.Op == remember && len(in) == 1 {
		return answer, nil, k.Remember(r.Name, os.NewFile(uintptr(in[0]), r.Name))
	}
	closeAll(in)
	one := func(fd int, err error) {
		if err == nil && fd >= 0 {
			out = []int{fd}
		}
	}
	switch r.Op {
	case find:
		answer.Namespace, err = k.Find(r.Namespace.Path)
	case listen:
		var fd int
		fd, err = k.Listen(r.Namespace, r.At)
		one(fd, err)
	case forget:
		err = k.Forget(r.Namespace, r.At)
	case connecting:
		out, err = k.Connecting(r.Namespace, r.Family, min(r.N, maxDescriptors))
	case recall:
		var fd int
		fd, err = k.Recall(r.Name)
		one(fd, err)
	case ready:
	default:
		err = fmt.Errorf("the request %q is wrong", r.Op)
	}
	return answer, out, err
}
