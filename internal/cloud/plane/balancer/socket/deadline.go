//go:build linux

package socket

import (
	"errors"
	"net"
	"os"
	"time"
)

// deadline is the time after which a wait returns an error.
type deadline struct {
	at    time.Time // zero: none
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

// deadlinePassed reports whether the deadline for events has passed.
func (c *Conn) deadlinePassed(events uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if events&readable != 0 {
		return c.read.passed()
	}
	return c.write.passed()
}

// SetDeadline sets the deadline of reads and writes. The zero time means none.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline sets the deadline of reads.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.setDeadline(&c.read, t, (*os.File).SetReadDeadline)
}

// SetWriteDeadline sets the deadline of writes.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.setDeadline(&c.write, t, (*os.File).SetWriteDeadline)
}

func (c *Conn) setDeadline(d *deadline, t time.Time, set func(*os.File, time.Time) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	d.at = t
	c.hasDeadline.Store(!c.read.at.IsZero() || !c.write.at.IsZero())
	if c.dup != nil {
		return set(c.dup, t)
	}
	c.armTimer(d)
	return nil
}

// armTimer wakes the connection on its loop when the deadline passes.
func (c *Conn) armTimer(d *deadline) {
	d.stop()
	if d.at.IsZero() || c.loop == nil {
		return
	}
	if left := time.Until(d.at); left > 0 {
		d.timer = time.AfterFunc(left, func() { c.loop.Post(c.wake) })
	} else {
		c.loop.Post(c.wake)
	}
}
