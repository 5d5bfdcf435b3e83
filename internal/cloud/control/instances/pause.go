package instances

import "time"

// pause grows from try to try, up to half a minute.
type pause struct{ length time.Duration }

func newPause() *pause { return &pause{length: time.Second} }

func (p *pause) next() time.Duration {
	length := p.length
	p.length = min(2*p.length, 30*time.Second)
	return length
}
