// Package reachability computes whether one place of a cloud can open a TCP connection to
// another, and what decides: hop by hop, over what an inventory describes. What a kernel
// says of the same path can be added. It makes no calls.
package reachability

import (
	"slices"
	"strconv"
)

// State says what a hop does to a connection.
type State string

// The states of a hop.
const (
	Allows  State = "allows"
	Blocks  State = "blocks"
	Unknown State = "unknown" // what decides is not described
)

// Kind classifies a hop.
type Kind string

// The kinds of hops.
const (
	Machine  Kind = "machine"
	GroupOut Kind = "group-out" // security groups of the sender's interface
	GroupIn  Kind = "group-in"  // security groups of the receiver's interface
	ACLOut   Kind = "acl-out"   // network ACL, for what leaves a subnet
	ACLIn    Kind = "acl-in"
	Route    Kind = "route"
	Gateway  Kind = "gateway"
	NAT      Kind = "nat"
	Address  Kind = "address" // public address
	Listener Kind = "listener"
	Health   Kind = "health" // of a target, as its load balancer sees it
	Socket   Kind = "socket" // of the target, as its kernel lists it
)

// Hop is one thing on a path that lets a connection pass or does not.
type Hop struct {
	Kind Kind `json:"kind"`
	// At is the interface or the subnet at whose border the hop is; the same as ID for others.
	At string `json:"at"`
	ID string `json:"id"`
	// Rule identifies what decided inside ID: a security group rule's id, an ACL entry's number, or a
	// route's destination.
	Rule   string `json:"rule,omitempty"`
	State  State  `json:"state"`
	Reason string `json:"reason"`
	// Fix is the smallest change with which the hop allows the connection.
	Fix string `json:"fix,omitempty"`
	// Back marks what is about the answers. Network ACLs filter them as well.
	Back bool `json:"back,omitempty"`
	// Dropped is how many packets the kernel dropped here.
	Dropped *Count `json:"dropped,omitempty"`
}

// Count is a counter of the kernel, before and after a probe.
type Count struct {
	Before uint64 `json:"before"`
	After  uint64 `json:"after"`
}

// End is one end of a path.
type End struct {
	Name       string `json:"name"`
	InstanceID string `json:"instance_id,omitempty"`
	Interface  string `json:"interface,omitempty"`
	VPC        string `json:"vpc,omitempty"`
	Address    string `json:"address,omitempty"` // that the other end sees; "" for any on the internet
}

// Path is the way of a connection from one interface or address to another.
type Path struct {
	From  End    `json:"from"`
	To    End    `json:"to"`
	Port  uint16 `json:"port"`
	State State  `json:"state"`
	Hops  []Hop  `json:"hops"`
	Probe *Probe `json:"probe,omitempty"`
}

// settle sets the path's state. A probe that succeeded is stronger than any rule, unless it
// came from one address of many that are asked about.
func (p *Path) settle() {
	p.State = Allows
	for _, h := range p.Hops {
		if h.State == Blocks || h.State == Unknown && p.State == Allows {
			p.State = h.State
		}
	}
	switch {
	case p.Probe == nil:
	case p.Probe.Outcome == Connected && p.From.Address != "":
		p.State = Allows
	case p.Probe.Outcome == Connected:
	case p.State == Allows:
		p.State = Blocks
	}
}

// Decided returns the first hop that blocks the connection, or else the first of which it is
// not known, or nil.
func (p *Path) Decided() *Hop {
	for _, state := range []State{Blocks, Unknown} {
		if i := slices.IndexFunc(p.Hops, func(h Hop) bool { return h.State == state }); i >= 0 {
			return &p.Hops[i]
		}
	}
	return nil
}

// Stage is one part of the way through a load balancer, or the whole way without one. One of
// its paths suffices.
type Stage struct {
	Title string `json:"title"`
	Paths []Path `json:"paths"`
}

// state is that of the best path.
func (s Stage) state() State {
	best := Blocks
	for _, p := range s.Paths {
		if p.State == Allows || p.State == Unknown && best == Blocks {
			best = p.State
		}
	}
	return best
}

// Answer says whether a place can be reached, and why.
type Answer struct {
	From   string  `json:"from"`
	To     string  `json:"to"`
	Port   uint16  `json:"port"`
	State  State   `json:"state"`
	Stages []Stage `json:"stages"`
	// Decided is the hop that decides, unless the connection is allowed.
	Decided *Hop `json:"decided,omitempty"`
	// Fixes are the changes that together allow the connection on one path.
	Fixes []string `json:"fixes,omitempty"`
	// Analyses are those of AWS's Reachability Analyzer that exist.
	Analyses []Analysis `json:"analyses,omitempty"`
}

// Reachable reports whether the connection is possible.
func (a *Answer) Reachable() bool { return a.State == Allows }

// Target returns the name and the port that were asked for.
func (a *Answer) Target() string { return a.To + ":" + strconv.Itoa(int(a.Port)) }

// settle derives what follows from the paths.
func (a *Answer) settle() {
	a.State, a.Decided, a.Fixes = Allows, nil, nil
	for _, stage := range a.Stages {
		state := stage.state()
		if state == Allows {
			continue
		}
		if a.State != Blocks {
			a.State = state
		}
		best := stage.easiest()
		if best == nil {
			continue
		}
		if a.Decided == nil {
			a.Decided = best.Decided()
		}
		for _, h := range best.Hops {
			if h.State != Allows && h.Fix != "" && !slices.Contains(a.Fixes, h.Fix) {
				a.Fixes = append(a.Fixes, h.Fix)
			}
		}
	}
}

// easiest returns the path that the fewest changes allow.
func (s Stage) easiest() *Path {
	var best *Path
	fewest := 0
	for i := range s.Paths {
		count := 0
		for _, h := range s.Paths[i].Hops {
			if h.State != Allows {
				count++
			}
		}
		if best == nil || count < fewest {
			best, fewest = &s.Paths[i], count
		}
	}
	return best
}
