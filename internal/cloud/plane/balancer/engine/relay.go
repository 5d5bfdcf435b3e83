//go:build linux

package engine

import (
	"fmt"
	"io"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

// relay sends the head in x.out and the response's body to the client. It reports
// whether the body is complete.
func (t *roundTrip) relay(framing http1.Framing) (whole bool, err error) {
	switch t.x.resp.Framing {
	case http1.NoBody:
		err = t.writeHead(nil)
		return true, err
	case http1.Sized:
		return t.relaySized()
	case http1.Chunked:
		if framing == http1.Chunked {
			return t.relayChunks()
		}
		return t.relayContent()
	}
	return t.relayUntilClose(framing)
}

// writeHead writes the head together with the part of the body that has come. If there
// is room, it puts the head right before that part, where the target's head was.
func (t *roundTrip) writeHead(part []byte) error {
	x, buf := t.x, t.up.buf
	var out []byte
	if at := buf.start - len(x.out); at >= 0 {
		copy(buf.bytes[at:], x.out)
		out = buf.bytes[at : buf.start+len(part)]
	} else {
		x.out = append(x.out, part...)
		out = x.out
	}
	buf.start += len(part)
	err := t.write(out)
	t.releaseEmptyBuffer()
	return err
}

func (t *roundTrip) write(p []byte) error {
	n, err := t.c.conn.Write(p)
	t.x.record.sent += int64(n)
	return err
}

// releaseEmptyBuffer frees the buffer if all of it has been sent.
func (t *roundTrip) releaseEmptyBuffer() {
	if buf := t.up.buf; buf != nil && buf.start == buf.end {
		t.up.releaseBuffer()
	}
}

// relaySized relays a body of known length.
func (t *roundTrip) relaySized() (bool, error) {
	left := t.x.resp.Length
	unsent := t.up.buf.unsent()
	part := unsent[:min(int64(len(unsent)), left)]
	left -= int64(len(part))
	if err := t.writeHead(part); err != nil {
		return false, err
	}
	if left >= spliceFrom {
		n, err := t.splice(left)
		if left -= n; err != nil {
			return false, err
		}
	}
	for left > 0 {
		part, err := t.readBody(left)
		if err != nil {
			return false, err
		}
		if err := t.write(part); err != nil {
			return false, err
		}
		left -= int64(len(part))
		t.releaseEmptyBuffer()
	}
	return true, nil
}

// splice moves bytes from the target to the client inside the kernel if both use plain
// TCP.
func (t *roundTrip) splice(n int64) (int64, error) {
	if t.c.raw == nil || t.up.raw == nil {
		return 0, nil
	}
	moved, err := socket.Splice(t.c.raw, t.up.raw, n)
	t.x.record.sent += moved
	if err == nil && moved < n {
		err = errTargetClosed
	}
	return moved, err
}

// readBody returns the next part of the body, of at most limit bytes, and marks it as
// sent.
func (t *roundTrip) readBody(limit int64) ([]byte, error) {
	if t.up.buf != nil && len(t.up.buf.unsent()) == 0 {
		t.up.buf.reset()
	}
	if t.up.buf == nil {
		if err := t.up.read(nil); err != nil {
			return nil, err
		}
	}
	buf := t.up.buf
	unsent := buf.unsent()
	part := unsent[:min(int64(len(unsent)), limit)]
	buf.start += len(part)
	return part, nil
}

// relayChunks relays chunks as they come, after checking every size.
func (t *roundTrip) relayChunks() (bool, error) {
	var chunks http1.ChunkScanner
	n, done, err := chunks.Skip(t.up.buf.unsent())
	if err != nil {
		return false, err // nothing is written: the client gets 502
	}
	if err := t.writeHead(t.up.buf.unsent()[:n]); err != nil {
		return false, err
	}
	for !done {
		part, err := t.readBody(responseSize)
		if err != nil {
			return false, err
		}
		if n, done, err = chunks.Skip(part); err != nil {
			return false, err
		}
		t.up.buf.start -= len(part) - n
		if err := t.write(part[:n]); err != nil {
			return false, err
		}
		t.releaseEmptyBuffer()
	}
	return true, nil
}

// relayContent relays the content of chunks to a client of HTTP/1.0.
func (t *roundTrip) relayContent() (bool, error) {
	var chunks http1.ChunkScanner
	if err := t.write(t.x.out); err != nil {
		return false, err
	}
	for {
		part, err := t.readBody(responseSize)
		if err != nil {
			return false, err
		}
		for len(part) > 0 {
			n, content, done, err := chunks.Next(part)
			if err != nil {
				return false, err
			}
			if err := t.write(content); err != nil {
				return false, err
			}
			if part = part[n:]; done {
				t.up.buf.start -= len(part)
				t.releaseEmptyBuffer()
				return true, nil
			}
		}
		t.releaseEmptyBuffer()
	}
}

// relayUntilClose relays what comes until the target closes. A client of HTTP/1.1 gets
// it in chunks, so that it can tell the end from a failure.
func (t *roundTrip) relayUntilClose(framing http1.Framing) (bool, error) {
	if err := t.write(t.x.out); err != nil {
		return false, err
	}
	for {
		part, err := t.readBody(responseSize)
		if err != nil {
			if !isEnd(err) {
				return false, err
			}
			if framing == http1.Chunked {
				err = t.write([]byte("0\r\n\r\n"))
			} else {
				err = nil
			}
			return false, err
		}
		if len(part) == 0 {
			t.releaseEmptyBuffer()
			continue
		}
		if framing == http1.Chunked {
			t.x.out = fmt.Appendf(t.x.out[:0], "%x\r\n", len(part))
			part = append(append(t.x.out, part...), "\r\n"...)
			t.x.out = part
		}
		if err := t.write(part); err != nil {
			return false, err
		}
		t.releaseEmptyBuffer()
	}
}

// isEnd reports whether err means that the target closed the connection.
func isEnd(err error) bool { return err == io.EOF || err == errTargetClosed } //nolint:errorlint // never wrapped
