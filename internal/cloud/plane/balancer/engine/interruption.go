//go:build linux

package engine

import "time"

// interruption is why a connection was interrupted.
type interruption uint8

const (
	notInterrupted     interruption = iota
	idleTimedOut                    // no bytes came for the idle timeout
	clientGone                      // the client closed the connection
	targetDeregistered              // the target of the present request was deregistered
	portClosed                      // the port was closed and its drain timeout is over
)

// interrupted returns why the connection was interrupted, or notInterrupted.
func (c *connection) interrupted() interruption {
	c.mu.Lock()
	why := c.interruption
	c.mu.Unlock()
	return why
}

// interrupt ends what the connection waits for.
func (c *connection) interrupt(why interruption) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.interruptLocked(why)
}

// interruptLocked is interrupt with the lock held. A connection that waits for a target
// can still send a response; any other ends.
func (c *connection) interruptLocked(why interruption) {
	if c.interruption != notInterrupted && why != portClosed {
		return
	}
	c.interruption = why
	if c.up != nil {
		_ = c.up.conn.SetDeadline(past)
	}
	switch {
	case why == portClosed:
		if c.stream {
			_ = c.conn.Close()
		} else {
			c.socket.Shutdown() // closing TLS would write an alert
		}
	case c.phase == idle || c.phase == readingHead:
		_ = c.conn.SetReadDeadline(past)
	case c.phase == transferring:
		_ = c.conn.SetDeadline(past)
	}
}

// drain makes the connection end with its requests in flight, because its port closes. A
// connection without a request ends now.
func (c *connection) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.h2 != nil:
		c.port.node.engine.tasks.Go(c.shutdownHTTP2(c.h2))
	case c.phase == idle && !c.stream:
		c.interruptLocked(clientGone)
	}
}

// drainStreams lets the client finish its requests on an HTTP/2 connection, but not begin
// new ones.
func (c *connection) drainStreams() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.h2 != nil {
		c.port.node.engine.tasks.Go(c.shutdownHTTP2(c.h2))
	}
}

// enterReadingHead begins a request. If the connection was interrupted as idle just when
// the request came, the request is its last.
func (c *connection) enterReadingHead() (last bool) {
	now := c.port.node.engine.coarseNow()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.phase, c.since, c.up = readingHead, now, nil
	if c.interruption == idleTimedOut || c.interruption == clientGone {
		last, c.interruption = true, notInterrupted
		_ = c.conn.SetReadDeadline(time.Time{})
	}
	return last
}

// detachFailedUpstream ends the use of a target's connection that failed. The client's
// connection continues, because an interruption on account of the target ends with it.
func (c *connection) detachFailedUpstream() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.phase, c.up = transferring, nil
	if c.interruption == idleTimedOut || c.interruption == targetDeregistered {
		c.interruption = notInterrupted
	}
}

// ends reports whether the connection is to end with its present request.
func (c *connection) ends() bool {
	return c.interrupted() != notInterrupted || c.port.node.engine.retiring.Load()
}
