//go:build linux

package simulated

import "context"

// Watch sends the ids of machines that have changed, until ctx ends.
func (p *Machines) Watch(ctx context.Context) <-chan string {
	in, out := make(chan string, 64), make(chan string)
	p.mu.Lock()
	if p.watchers == nil {
		p.watchers = map[chan string]struct{}{}
	}
	p.watchers[in] = struct{}{}
	p.mu.Unlock()
	go func() {
		defer close(out)
		defer func() {
			p.mu.Lock()
			delete(p.watchers, in)
			p.mu.Unlock()
		}()
		for {
			select {
			case id := <-in:
				select {
				case out <- id:
				case <-ctx.Done():
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

func (p *Machines) notify(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.watchers {
		select {
		case w <- id:
		default: // a receiver this far behind will read every status anyway
		}
	}
}
