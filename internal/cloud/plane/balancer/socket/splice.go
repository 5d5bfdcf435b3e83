package socket

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// pipeSize is how much a pipe should hold in bytes. The system may let it hold less
// (pipe(7): /proc/sys/fs/pipe-max-size).
const pipeSize = 1 << 20

// maxPipes is how many a loop keeps for later.
const maxPipes = 16

// pipe is what bytes go through on their way from one socket to another.
type pipe struct{ out, in int }

func newPipe() (pipe, error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		return pipe{}, os.NewSyscallError("pipe2", err)
	}
	_, _ = unix.FcntlInt(uintptr(ends[0]), unix.F_SETPIPE_SZ, pipeSize) // a smaller one does too
	return pipe{ends[0], ends[1]}, nil
}

func (p pipe) close() {
	_ = unix.Close(p.out)
	_ = unix.Close(p.in)
}

// Splice moves n bytes from one connection to another inside the kernel
// (splice(2)). It returns how many it has moved; fewer than n when the one ended.
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
			p.close() // with what is left in it
			return moved, err
		}
	}
	from.releasePipe(p)
	return moved, err
}

// fill moves bytes into the empty pipe; none: the connection has ended.
func (p pipe) fill(from *Conn, most int64) (int64, error) {
	for {
		if err := from.waitReady(readable|readClosed, nil); err != nil {
			return 0, err
		}
		n, err := splice(from.fd, p.in, most)
		if err == unix.EAGAIN { //nolint:errorlint // it comes bare
			err = from.clearReady(readable, readClosed, io.EOF)
		}
		if err != ErrNotReady { //nolint:errorlint // as above
			return n, err
		}
	}
}

// drain moves all out again.
func (p pipe) drain(to *Conn, held int64) (moved int64, err error) {
	for moved < held {
		if err := to.waitReady(writable|writeClosed, nil); err != nil {
			return moved, err
		}
		n, err := splice(p.out, to.fd, held-moved)
		if err == unix.EAGAIN { //nolint:errorlint // as above
			err = to.clearReady(writable, writeClosed, unix.EPIPE)
		}
		if moved += n; err != nil && err != ErrNotReady { //nolint:errorlint // as above
			return moved, err
		}
	}
	return moved, nil
}

// splice moves what there is.
func splice(from, to int, most int64) (int64, error) {
	for {
		n, err := unix.Splice(from, nil, to, nil, int(most), unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		switch err {
		case nil:
			return n, nil
		case unix.EINTR: // again
		case unix.EAGAIN:
			return 0, err
		default:
			return 0, os.NewSyscallError("splice", err)
		}
	}
}

// acquirePipe gives an empty pipe, one that the loop has kept if it can.
func (c *Conn) acquirePipe() (pipe, error) {
	if c.onLoop() && len(c.loop.pipes) > 0 {
		last := len(c.loop.pipes) - 1
		p := c.loop.pipes[last]
		c.loop.pipes = c.loop.pipes[:last]
		return p, nil
	}
	return newPipe()
}

// releasePipe takes it back, empty.
func (c *Conn) releasePipe(p pipe) {
	if c.onLoop() && len(c.loop.pipes) < maxPipes {
		c.loop.pipes = append(c.loop.pipes, p)
		return
	}
	p.close()
}
