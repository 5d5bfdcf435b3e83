package reachability

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Outcome is how a probe ended.
type Outcome string

// The outcomes of a probe.
const (
	Connected   Outcome = "connected"
	Refused     Outcome = "refused"     // the target's kernel answered that nobody listens
	TimedOut    Outcome = "timed out"   // nothing answered
	Unreachable Outcome = "unreachable" // a kernel on the way knows no route
)

// Probe is a connection that was tried, from where the path begins.
type Probe struct {
	Outcome Outcome `json:"outcome"`
	Error   string  `json:"error,omitempty"`
	Millis  float64 `json:"ms"`
}

// Drops are the packets that a kernel dropped at a hop.
type Drops struct {
	Kind Kind   `json:"kind"`
	At   string `json:"at"` // interface or subnet

	Count
}

// Facts are the kernels' reports about a path. nil fields were not read.
type Facts struct {
	Sockets []netip.AddrPort `json:"sockets"` // on which the target listens for TCP
	// Listed reports whether Sockets were read.
	Listed bool    `json:"listed"`
	Probe  *Probe  `json:"probe"`
	Drops  []Drops `json:"drops"`
}

// Observe adds what the kernels say to each path, and decides again. facts returns them for a
// path, or nil; it is called for all paths at once.
func (a *Answer) Observe(facts func(*Path) (*Facts, error)) error {
	var asked errgroup.Group
	for i := range a.Stages {
		for j := range a.Stages[i].Paths {
			p := &a.Stages[i].Paths[j]
			asked.Go(func() error {
				f, err := facts(p)
				if f != nil {
					p.observe(*f)
				}
				return err
			})
		}
	}
	err := asked.Wait()
	a.settle()
	return err
}

func (p *Path) observe(f Facts) {
	p.Probe = f.Probe
	for _, d := range f.Drops {
		for i := range p.Hops {
			if h := &p.Hops[i]; h.Kind == d.Kind && h.At == d.At && !h.Back {
				h.Dropped = &Count{Before: d.Before, After: d.After}
			}
		}
	}
	if f.Listed {
		// What the load balancer thinks of the target follows from all before it.
		end := len(p.Hops)
		if i := slices.IndexFunc(p.Hops, func(h Hop) bool { return h.Kind == Health }); i >= 0 {
			end = i
		}
		p.Hops = slices.Insert(p.Hops, end, p.socket(f.Sockets))
	}
	p.settle()
}

// socket returns the hop of the target's listening sockets.
func (p *Path) socket(sockets []netip.AddrPort) Hop {
	h := Hop{Kind: Socket, At: p.To.Interface, ID: p.To.InstanceID, State: Blocks}
	var others []string
	for _, s := range sockets {
		switch {
		case s.Port() == p.Port && !s.Addr().IsLoopback():
			h.State, h.Rule, h.Reason, h.Fix = Allows, s.String(), "the machine listens on "+s.String(), ""
			return h
		case s.Port() == p.Port:
			h.Rule = s.String()
			h.Reason = fmt.Sprintf("the machine listens on %s, which only itself can reach", s)
			h.Fix = fmt.Sprintf("let the application listen on 0.0.0.0:%d", p.Port)
		case !s.Addr().IsLoopback():
			others = append(others, fmt.Sprint(s.Port()))
		}
	}
	if h.Reason != "" {
		return h
	}
	slices.Sort(others)
	others = slices.Compact(others)
	h.Reason = fmt.Sprintf("nothing in the machine listens on %d", p.Port)
	h.Fix = fmt.Sprintf("let the application listen on 0.0.0.0:%d", p.Port)
	if len(others) > 0 {
		h.Reason += "; it listens on " + strings.Join(others, ", ")
		h.Fix += ", or use a port that it listens on"
	}
	return h
}
