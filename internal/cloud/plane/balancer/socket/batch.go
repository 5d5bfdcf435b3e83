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
	over *Conn
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
	if len(p) > maxMessage || over.owes {
		_, _ = over.Write(p)
		return
	}
	l := over.loop
	if len(l.text)+len(p) > cap(l.text) {
		l.flush()
	}
	if len(b.messages) == 0 {
		l.batches = append(l.batches, b)
	}
	at := len(l.text)
	l.text = append(l.text, p...)
	b.messages = append(b.messages, message{over, l.text[at:]})
	over.owes = true
}

// flush sends all batches. What the kernel does not take stays in them.
func (l *Loop) flush() {
	left := l.batches[:0]
	for _, b := range l.batches {
		b.send()
		if len(b.messages) > 0 {
			left = append(left, b)
		}
	}
	l.batches, l.text = left, l.text[:0]
}

func (b *Batch) send() {
	left := b.messages[:0]
	for _, m := range b.messages {
		if rest := m.over.pay(m.text); len(rest) > 0 {
			left = append(left, message{m.over, bytes.Clone(rest)})
		}
	}
	clear(b.messages[len(left):])
	b.messages = left
}

// pay sends what a batch holds for the connection, and returns what the kernel does
// not take yet.
func (c *Conn) pay(p []byte) (rest []byte) {
	c.mu.Lock()
	c.owes = c.owes && !c.closed
	c.mu.Unlock()
	for c.owes && len(p) > 0 {
		n, errno := send(c.fd, p)
		if errno == unix.EAGAIN && c.unready(writable, broken, unix.EPIPE) == ErrLater &&
			c.watch() == nil { //nolint:errorlint // it comes bare
			return p
		}
		p = p[n:]
		c.owes = errno == 0
	}
	c.owes = false
	return nil
}

// settle returns when the kernel has what a batch holds for the connection. One that
// cannot wait for that is cut: its peer would miss something.
func (c *Conn) settle() error {
	for c.owes {
		if c.loop.flush(); !c.owes {
			break
		}
		if err := c.wait(writable|broken, nil); err != nil {
			c.owes = false
			c.Cut()
			return err
		}
	}
	return nil
}
