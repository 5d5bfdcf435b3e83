//go:build linux

package socket

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// pipe carries bytes from one socket to another inside the kernel.
type pipe struct{ out, in int }

func newPipe() (pipe, error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		return pipe{}, os.NewSyscallError("pipe2", err)
	}
	_, _ = unix.FcntlInt(uintptr(ends[0]), unix.F_SETPIPE_SZ, pipeSize) // a smaller one works too
	return pipe{ends[0], ends[1]}, nil
}

func (p pipe) close() {
	_ = unix.Close(p.out)
	_ = unix.Close(p.in)
}

// Splice moves n bytes from one connection to another inside the kernel (splice(2)). It
// returns the number of bytes moved, which is less than n if from ended.
func Splice(to, from *Conn, n int64) (moved int64, err error) {
	p, err := from.acquirePipe()
	if err != nil {
		return 0, err
	}
	for moved < n {
		var held int64
		if held, err = p.fill(from, min(n-moved, pipeSize)); held == 0 {
			break
		}
		var out int64
		out, err = p.drain(to, held)
		if moved += out; err != nil {
			p.close() // with the bytes left in it
			return moved, err
		}
	}
	from.releasePipe(p)
	return moved, err
}

// fill moves bytes from the connection into the empty pipe. It returns 0 if the
// connection has ended.
func (p pipe) fill(from *Conn, most int64) (int64, error) {
	for {
		if err := from.waitReady(readable|readClosed, nil); err != nil {
			return 0, err
		}
		n, err := splice(from.fd, p.in, most)
		if err == unix.EAGAIN { //nolint:errorlint // never wrapped
			err = from.clearReady(readable, readClosed, io.EOF)
		}
		if err != ErrNotReady { //nolint:errorlint // never wrapped
			return n, err
		}
	}
}

// drain moves all bytes in the pipe to the connection.
func (p pipe) drain(to *Conn, held int64) (moved int64, err error) {
	for moved < held {
		if err := to.waitReady(writable|writeClosed, nil); err != nil {
			return moved, err
		}
		n, err := splice(p.out, to.fd, held-moved)
		if err == unix.EAGAIN { //nolint:errorlint // never wrapped
			err = to.clearReady(writable, writeClosed, unix.EPIPE)
		}
		if moved += n; err != nil && err != ErrNotReady { //nolint:errorlint // never wrapped
			return moved, err
		}
	}
	return moved, nil
}

// splice moves what is available, at most most bytes.
func splice(from, to int, most int64) (int64, error) {
	for {
		n, err := unix.Splice(from, nil, to, nil, int(most), unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		switch err {
		case nil:
			return n, nil
		case unix.EINTR: // try again
		case unix.EAGAIN:
			return 0, err
		default:
			return 0, os.NewSyscallError("splice", err)
		}
	}
}

// acquirePipe returns an empty pipe, one of the loop's if it has any.
func (c *Conn) acquirePipe() (pipe, error) {
	if c.onLoop() && len(c.loop.pipes) > 0 {
		last := len(c.loop.pipes) - 1
		p := c.loop.pipes[last]
		c.loop.pipes = c.loop.pipes[:last]
		return p, nil
	}
	return newPipe()
}

// releasePipe returns an empty pipe to the loop, or closes it.
func (c *Conn) releasePipe(p pipe) {
	if c.onLoop() && len(c.loop.pipes) < maxPipes {
		c.loop.pipes = append(c.loop.pipes, p)
		return
	}
	p.close()
}
