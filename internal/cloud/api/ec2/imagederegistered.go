package ec2

import (
	"maps"
	"sync"
	"time"
)

// deregistrationKnown is how long DescribeImages knows that an image was deregistered. AWS gives no number.
const deregistrationKnown = time.Hour

// deregisteredImages are the images that were deregistered lately. Who asks for one of them by its id
// gets an empty answer, and only eventually an error (Amazon EC2 API Reference, DescribeImages). After
// a restart, the error comes at once.
type deregisteredImages struct {
	mu    sync.Mutex
	times map[string]time.Time // by region and id
}

// add adds an image, and forgets those of long ago.
func (d *deregisteredImages) add(key string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.times == nil {
		d.times = map[string]time.Time{}
	}
	maps.DeleteFunc(d.times, func(_ string, then time.Time) bool { return now.Sub(then) > deregistrationKnown })
	d.times[key] = now
}

// has reports whether the image was deregistered lately.
func (d *deregisteredImages) has(key string, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	then, ok := d.times[key]
	return ok && now.Sub(then) <= deregistrationKnown
}
