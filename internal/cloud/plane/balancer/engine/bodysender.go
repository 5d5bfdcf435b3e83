//go:build linux

package engine

import (
	"sync/atomic"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// bodySender sends the rest of a request's body to the target while the response may
// already come.
type bodySender struct {
	t    *roundTrip
	last atomic.Bool // the last bytes are being written
	done chan struct{}

	// Valid when done is closed.
	err      error
	received int64 // bytes of the body
}

// startBodySender starts to send. Until it is done, the exchange's buffer is the
// sender's.
func startBodySender(t *roundTrip) *bodySender {
	s := &bodySender{t: t, done: make(chan struct{})}
	t.c.port.node.engine.tasks.Go(func() {
		defer close(s.done)
		s.err = s.run()
	})
	return s
}

// finished reports whether the whole body has been sent. If the last bytes are being
// written, it waits for them up to lastWrite.
func (s *bodySender) finished() bool {
	if s.last.Load() {
		late := time.NewTimer(lastWrite)
		defer late.Stop()
		select {
		case <-s.done:
		case <-late.C:
		}
	}
	select {
	case <-s.done:
		return s.err == nil
	default:
		return false
	}
}

// stop interrupts the sender unless it has finished, and reports whether it had. After
// an interruption neither connection can be used again.
func (s *bodySender) stop() bool {
	if s.finished() {
		return true
	}
	_ = s.t.c.conn.SetReadDeadline(past)
	_ = s.t.up.conn.SetWriteDeadline(past)
	<-s.done
	return false
}

func (s *bodySender) run() error {
	x, buf := s.t.x, newResponseBuffer()
	defer buf.release()
	left := x.bodyLeft()
	for {
		if x.req.Framing == http1.Sized && left == 0 {
			return nil
		}
		space := buf.bytes
		if x.req.Framing == http1.Sized {
			space = space[:min(int64(len(space)), left)]
		}
		n, err := s.t.c.conn.Read(space)
		part, done := space[:n], false
		if x.req.Framing == http1.Chunked && n > 0 {
			k, end, err := x.chunks.Skip(part)
			if err != nil {
				return err
			}
			// What follows the body is the next request.
			x.in, part, done = append(x.in, part[k:]...), part[:k], end
		}
		left -= int64(len(part))
		s.received += int64(len(part))
		s.last.Store(done || x.req.Framing == http1.Sized && left == 0)
		s.t.c.recordProgress()
		if len(part) > 0 {
			if _, err := s.t.up.conn.Write(part); err != nil {
				return err
			}
		}
		if done {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
