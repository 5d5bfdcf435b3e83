package socket

import (
	"errors"
	"net"
	"os"
	"time"
)

// deadline is when waiting ends in an error.
type deadline struct {
	at    time.Time // zero: never
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

// late tells that the time to wait is over.
func (c *Conn) late(what uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if what&readable != 0 {
		return c.read.passed()
	}
	return c.write.passed()
}

// SetDeadline bounds reads and writes.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline bounds reads.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.bound(&c.read, t, (*os.File).SetReadDeadline)
}

// SetWriteDeadline bounds writes.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.bound(&c.write, t, (*os.File).SetWriteDeadline)
}

func (c *Conn) bound(d *deadline, t time.Time, set func(*os.File, time.Time) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	d.at = t
	c.bounded.Store(!c.read.at.IsZero() || !c.write.at.IsZero())
	if c.double != nil {
		return set(c.double, t)
	}
	c.arm(d)
	return nil
}

// arm sees to it that the loop looks when the time is over.
func (c *Conn) arm(d *deadline) {
	d.stop()
	if d.at.IsZero() || c.loop == nil {
		return
	}
	if left := time.Until(d.at); left > 0 {
		d.timer = time.AfterFunc(left, func() { c.loop.Post(c.look) })
	} else {
		c.loop.Post(c.look)
	}
}
