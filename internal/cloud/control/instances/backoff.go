//go:build linux

package instances

import "time"

// backoff doubles the delay with every attempt, from minRetryDelay to maxRetryDelay.
type backoff struct{ delay time.Duration }

func newBackoff() backoff { return backoff{delay: minRetryDelay} }

func (b *backoff) next() time.Duration {
	delay := b.delay
	b.delay = min(2*b.delay, maxRetryDelay)
	return delay
}
