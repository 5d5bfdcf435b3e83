//go:build linux

package engine

import "time"

// retryPorts opens ports that could not be opened, again and again.
func (e *Engine) retryPorts() {
	for wait(e.ctx, e.failing) && wait(e.ctx, time.After(portRetry)) {
		if e.retiring.Load() {
			return
		}
		e.mu.Lock()
		for _, n := range e.nodes {
			if n.err != nil {
				n.openPorts()
			}
		}
		e.front.OpenPorts()
		e.reportPorts()
		e.mu.Unlock()
	}
}

// reportPorts notifies those who watch the status, and retryPorts if a port is not
// open. The lock is held.
func (e *Engine) reportPorts() {
	failing := e.front.Failing()
	for _, n := range e.nodes {
		failing = failing || n.err != nil
	}
	if failing {
		select {
		case e.failing <- struct{}{}:
		default:
		}
	}
	e.notify()
}
