package console

import (
	"context"
	"sync"
)

// Changes tells pages that something has changed. The zero value is ready to use.
type Changes struct {
	mu   sync.Mutex
	next chan struct{} // closed by the next change; nil: nobody waits
}

// Notify ends the waits of all who watch.
func (c *Changes) Notify() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next != nil {
		close(c.next)
		c.next = nil
	}
}

// Watch returns a function that waits for the next change after now.
func (c *Changes) Watch() (wait func(context.Context) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == nil {
		c.next = make(chan struct{})
	}
	next := c.next
	return func(ctx context.Context) error {
		select {
		case <-next:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
