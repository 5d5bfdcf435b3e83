package socket

import (
	"bytes"

	"golang.org/x/sys/unix"
)

// Batch are short messages to one peer, over any of a loop's connections to it. The
// loop sends them when it has looked after all that has happened, one right after the
// other: so the peer wakes up once and finds them all. One that gets each message while
// the next is being prepared has fallen asleep in between, and to wake it is work for
// both sides (bench/balancer). A batch belongs to the loop's goroutine; its zero value
// is empty.
type Batch struct{ messages []message }

type message struct {
	conn *Conn
	text []byte
}

// maxMessage is the length up to which a message is copied to be sent later, and
// maxText that of all which wait for that.
const (
	maxMessage = 4 << 10
	maxText    = 64 << 10
)

// Write has p sent over the connection; a long message at once. That it fails shows
// when the connection is used next.
func (b *Batch) Write(over *Conn, p []byte) {
	if len(p) > maxMessage || over.pending {
		_, _ = over.Write(p)
		return
	}
	l := over.loop
	if len(l.batchText)+len(p) > cap(l.batchText) {
		l.flushBatches()
	}
	if len(b.messages) == 0 {
		l.batches = append(l.batches, b)
	}
	at := len(l.batchText)
	l.batchText = append(l.batchText, p...)
	b.messages = append(b.messages, message{over, l.batchText[at:]})
	over.pending = true
}

// flushBatches sends all batches. What the kernel does not take stays in them.
func (l *Loop) flushBatches() {
	left := l.batches[:0]
	for _, b := range l.batches {
		b.send()
		if len(b.messages) > 0 {
			left = append(left, b)
		}
	}
	l.batches, l.batchText = left, l.batchText[:0]
}

func (b *Batch) send() {
	left := b.messages[:0]
	for _, m := range b.messages {
		if rest := m.conn.sendPending(m.text); len(rest) > 0 {
			left = append(left, message{m.conn, bytes.Clone(rest)})
		}
	}
	clear(b.messages[len(left):])
	b.messages = left
}

// sendPending sends what a batch holds for the connection, and returns what the kernel does
// not take yet.
func (c *Conn) sendPending(p []byte) (rest []byte) {
	c.mu.Lock()
	c.pending = c.pending && !c.closed
	c.mu.Unlock()
	for c.pending && len(p) > 0 {
		n, errno := send(c.fd, p)
		if errno == unix.EAGAIN && c.clearReady(writable, writeClosed, unix.EPIPE) == ErrNotReady &&
			c.register() == nil { //nolint:errorlint // it comes bare
			return p
		}
		p = p[n:]
		c.pending = errno == 0
	}
	c.pending = false
	return nil
}

// flushPending returns when the kernel has what a batch holds for the connection. One that
// cannot wait for that is cut: its peer would miss something.
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
