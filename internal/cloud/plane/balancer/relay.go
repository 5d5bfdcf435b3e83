package balancer

import (
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

// large is from how many bytes on a body is moved inside the kernel.
const large = 128 << 10

// relay writes the head in x.out and the answer's body to the client. whole:
// the body came to its end.
func (d *dialogue) relay(framing http1.Framing) (whole bool, err error) {
	switch d.x.resp.Framing {
	case http1.NoBody:
		err = d.first(nil)
		return true, err
	case http1.Sized:
		return d.sized()
	case http1.Chunked:
		if framing == http1.Chunked {
			return d.chunked()
		}
		return d.unchunked()
	}
	return d.untilClosed(framing)
}

// first writes the head together with the part of the body that has come: right
// before that part, where the target's head was, if there is room.
func (d *dialogue) first(part []byte) error {
	x, back := d.x, d.up.back
	var out []byte
	if at := back.start - len(x.out); at >= 0 {
		copy(back.bytes[at:], x.out)
		out = back.bytes[at : back.start+len(part)]
	} else {
		x.out = append(x.out, part...)
		out = x.out
	}
	back.start += len(part)
	err := d.write(out)
	d.emptied()
	return err
}

func (d *dialogue) write(p []byte) error {
	n, err := d.c.conn.Write(p)
	d.x.record.delivered += int64(n)
	return err
}

// emptied frees the buffer when all in it is dealt with.
func (d *dialogue) emptied() {
	if back := d.up.back; back != nil && back.start == back.end {
		d.up.rest()
	}
}

func (d *dialogue) sized() (bool, error) {
	left := d.x.resp.Length
	held := d.up.back.held()
	part := held[:min(int64(len(held)), left)]
	left -= int64(len(part))
	if err := d.first(part); err != nil {
		return false, err
	}
	if left >= large {
		n, err := d.splice(left)
		if left -= n; err != nil {
			return false, err
		}
	}
	for left > 0 {
		part, err := d.more(left)
		if err != nil {
			return false, err
		}
		if err := d.write(part); err != nil {
			return false, err
		}
		left -= int64(len(part))
		d.emptied()
	}
	return true, nil
}

// splice moves bytes from the target to the client without a copy in this
// process, as far as both are plain TCP.
func (d *dialogue) splice(n int64) (int64, error) {
	if d.c.raw == nil || d.up.raw == nil {
		return 0, nil
	}
	moved, err := socket.Splice(d.c.raw, d.up.raw, n)
	d.x.record.delivered += moved
	if err == nil && moved < n {
		err = errTargetClosed
	}
	return moved, err
}

// more reads the next part of a body, at most so many bytes. It is dealt with.
func (d *dialogue) more(most int64) ([]byte, error) {
	if d.up.back != nil && len(d.up.back.held()) == 0 {
		d.up.back.reset()
	}
	if d.up.back == nil {
		if err := d.up.fill(nil); err != nil {
			return nil, err
		}
	}
	back := d.up.back
	held := back.held()
	part := held[:min(int64(len(held)), most)]
	back.start += len(part)
	return part, nil
}

// chunked passes chunks on as they come, after a look at every size.
func (d *dialogue) chunked() (bool, error) {
	var chunks http1.ChunkScanner
	n, done, err := chunks.Skip(d.up.back.held())
	if err != nil {
		return false, err // nothing is written: the client sees the connection end
	}
	if err := d.first(d.up.back.held()[:n]); err != nil {
		return false, err
	}
	for !done {
		part, err := d.more(backSize)
		if err != nil {
			return false, err
		}
		if n, done, err = chunks.Skip(part); err != nil {
			return false, err
		}
		d.up.back.start -= len(part) - n
		if err := d.write(part[:n]); err != nil {
			return false, err
		}
		d.emptied()
	}
	return true, nil
}

// unchunked passes the content of chunks on to a client of HTTP/1.0.
func (d *dialogue) unchunked() (bool, error) {
	var chunks http1.ChunkScanner
	if err := d.write(d.x.out); err != nil {
		return false, err
	}
	for {
		part, err := d.more(backSize)
		if err != nil {
			return false, err
		}
		for len(part) > 0 {
			n, content, done, err := chunks.Next(part)
			if err != nil {
				return false, err
			}
			if err := d.write(content); err != nil {
				return false, err
			}
			if part = part[n:]; done {
				d.up.back.start -= len(part)
				d.emptied()
				return true, nil
			}
		}
		d.emptied()
	}
}

// untilClosed passes on what comes until the target closes, as chunks if the
// client knows them: so it can tell the end from an accident.
func (d *dialogue) untilClosed(framing http1.Framing) (bool, error) {
	if err := d.write(d.x.out); err != nil {
		return false, err
	}
	for {
		part, err := d.more(backSize)
		if err != nil {
			if !ended(err) {
				return false, err
			}
			if framing == http1.Chunked {
				err = d.write([]byte("0\r\n\r\n"))
			} else {
				err = nil
			}
			return false, err
		}
		if len(part) == 0 {
			d.emptied()
			continue
		}
		if framing == http1.Chunked {
			d.x.out = fmt.Appendf(d.x.out[:0], "%x\r\n", len(part))
			part = append(append(d.x.out, part...), "\r\n"...)
			d.x.out = part
		}
		if err := d.write(part); err != nil {
			return false, err
		}
		d.emptied()
	}
}

func ended(err error) bool { return err == io.EOF || err == errTargetClosed } //nolint:errorlint // both come bare

// sending passes the rest of a request's body on while the answer may come
// already.
type sending struct {
	d    *dialogue
	last atomic.Bool // the last bytes are being written
	done chan struct{}
	err  error // valid when done is closed
}

// lastWrite is how long an answer waits for the last bytes of the request, which
// as a rule have been written already.
const lastWrite = 50 * time.Millisecond

// startSending begins. The exchange's buffer is its own until it is over.
func startSending(d *dialogue) *sending {
	s := &sending{d: d, done: make(chan struct{})}
	d.c.port.node.owner.tasks.Go(func() {
		defer close(s.done)
		s.err = s.run()
	})
	return s
}

// over tells whether the whole body has been sent.
func (s *sending) over() bool {
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

// stop interrupts the sending if it is not over. Neither connection is of any
// use then.
func (s *sending) stop() bool {
	if s.over() {
		return true
	}
	_ = s.d.c.conn.SetReadDeadline(past)
	_ = s.d.up.conn.SetWriteDeadline(past)
	<-s.done
	return false
}

func (s *sending) run() error {
	x, buffer := s.d.x, newBacklog()
	defer buffer.release()
	left := x.req.Length - (x.record.received - int64(len(x.head)))
	for {
		if x.req.Framing == http1.Sized && left == 0 {
			return nil
		}
		room := buffer.bytes
		if x.req.Framing == http1.Sized {
			room = room[:min(int64(len(room)), left)]
		}
		n, err := s.d.c.conn.Read(room)
		part, done := room[:n], false
		if x.req.Framing == http1.Chunked && n > 0 {
			k, end, err := x.chunks.Skip(part)
			if err != nil {
				return err
			}
			// What follows the body is the next request.
			x.in, part, done = append(x.in, part[k:]...), part[:k], end
		}
		left -= int64(len(part))
		s.last.Store(done || x.req.Framing == http1.Sized && left == 0)
		s.d.c.touch()
		if len(part) > 0 {
			if _, err := s.d.up.conn.Write(part); err != nil {
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

// touch tells the sweeper that something still happens.
func (c *connection) touch() {
	now := c.port.node.owner.now()
	c.mu.Lock()
	c.since = now
	c.mu.Unlock()
}

// tunnel joins client and target after an upgrade, until one of them closes
// (Application Load Balancer guide, Listeners: WebSockets).
func (d *dialogue) tunnel() bool {
	x, up := d.x, d.up
	defer up.drop()
	if !x.req.Upgrade {
		d.c.forgive()
		return d.c.refuse(x, 502, false)
	}
	x.record.status = x.resp.Status
	d.c.enter(flowing, up)
	x.out = appendSwitch(x.out[:0], &x.resp)
	if d.first(up.back.held()) != nil {
		return false
	}
	if rest := x.in[x.at:]; len(rest) > 0 {
		x.at = len(x.in)
		if _, err := up.conn.Write(rest); err != nil {
			return false
		}
	}
	d.c.away(d.join)
	return false
}

// join copies in both directions until one ends.
func (d *dialogue) join() {
	x, up := d.x, d.up
	over := make(chan int64, 1)
	d.c.port.node.owner.tasks.Go(func() {
		n, _ := io.Copy(up.conn, d.c.conn)
		d.closing(up.conn)
		over <- n
	})
	n, _ := io.Copy(d.c.conn, up.conn)
	x.record.delivered += n
	d.closing(d.c.conn)
	x.record.received += <-over
}

// closing tells the other side that no more will come, and bounds how long it
// may go on alone.
func (d *dialogue) closing(to net.Conn) {
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	end := time.Now().Add(time.Second)
	_ = d.c.conn.SetDeadline(end)
	_ = d.up.conn.SetDeadline(end)
}

// appendSwitch writes the head of 101 Switching Protocols.
func appendSwitch(b []byte, r *http1.Response) []byte {
	b = append(b, "HTTP/1.1 101 Switching Protocols\r\n"...)
	for i := range r.Fields {
		if f := &r.Fields[i]; !f.Kind.HopByHop() || f.Kind == http1.Upgrade {
			b = appendField(b, f)
		}
	}
	return append(b, "Connection: Upgrade\r\n\r\n"...)
}
