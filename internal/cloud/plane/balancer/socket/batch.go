//go:build linux

package socket

import (
	"bytes"

	"golang.org/x/sys/unix"
)

// Batch collects short messages to one peer, over any of a loop's connections to it. The
// loop sends them one right after the other once it has handled the events of a round, so
// the peer wakes up once and finds them all. A peer that got each message while the next
// was being prepared would fall asleep in between, and waking it costs both sides
// (bench/balancer). A batch belongs to the loop's goroutine. Its zero value is empty.
type Batch struct{ messages []message }

type message struct {
	conn *Conn
	text []byte
}

// Write sends p over the connection at the end of the loop's round, or at once if it is
// long. The next use of the connection returns the error, if any.
func (b *Batch) Write(conn *Conn, p []byte) {
	if len(p) > maxMessage || conn.pending {
		_, _ = conn.Write(p)
		return
	}
	l := conn.loop
	if len(l.batchText)+len(p) > cap(l.batchText) {
		l.flushBatches()
	}
	if len(b.messages) == 0 {
		l.batches = append(l.batches, b)
	}
	at := len(l.batchText)
	l.batchText = append(l.batchText, p...)
	b.messages = append(b.messages, message{conn, l.batchText[at:]})
	conn.pending = true
}

// flushBatches sends all batches. What the kernel does not accept stays in them.
func (l *Loop) flushBatches() {
	unsent := l.batches[:0]
	for _, b := range l.batches {
		b.send()
		if len(b.messages) > 0 {
			unsent = append(unsent, b)
		}
	}
	l.batches, l.batchText = unsent, l.batchText[:0]
}

func (b *Batch) send() {
	unsent := b.messages[:0]
	for _, m := range b.messages {
		if rest := m.conn.sendPending(m.text); len(rest) > 0 {
			unsent = append(unsent, message{m.conn, bytes.Clone(rest)})
		}
	}
	clear(b.messages[len(unsent):])
	b.messages = unsent
}

// sendPending sends the connection's pending message and returns what the kernel does not
// accept yet.
func (c *Conn) sendPending(p []byte) (rest []byte) {
	c.mu.Lock()
	c.pending = c.pending && !c.closed
	c.mu.Unlock()
	for c.pending && len(p) > 0 {
		n, errno := send(c.fd, p)
		//nolint:errorlint // never wrapped
		if errno == unix.EAGAIN && c.clearReady(writable, writeClosed, unix.EPIPE) == ErrNotReady &&
			c.register() == nil {
			return p
		}
		p = p[n:]
		c.pending = errno == 0
	}
	c.pending = false
	return nil
}

// flushPending returns when the kernel has the connection's pending message. If it cannot
// wait for that, it shuts the connection down: the peer would miss a part of the stream.
func (c *Conn) flushPending() error {
	for c.pending {
		if c.loop.flushBatches(); !c.pending {
			break
		}
		if err := c.waitOnLoop(writable|writeClosed, nil); err != nil {
			c.pending = false
			c.Shutdown()
			return err
		}
	}
	return nil
}
