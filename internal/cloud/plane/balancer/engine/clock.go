//go:build linux

package engine

import "time"

// now returns the time on the engine's clock, which is never set back.
func (e *Engine) now() time.Duration { return time.Since(e.started) }

// timeAt returns the wall time at a time of the engine's clock.
func (e *Engine) timeAt(now time.Duration) time.Time { return e.started.Add(now) }

// coarseNow returns the time of the last sweep: precise enough for timeouts, and cheap.
func (e *Engine) coarseNow() time.Duration { return time.Duration(e.swept.Load()) }
