//go:build linux

package process

import (
	"time"

	"golang.org/x/sys/unix"
)

// class is a scheduling class of the kernel (sched(7)).
type class uint32

const (
	// gathering does not preempt what runs when something arrives, but waits for its
	// turn. So a target continues with what it has, responses gather, and the balancer
	// finds several at once. On a host with two processors, bench/balancer measured a
	// fifth less CPU a request. But beside programs that never rest, such as a machine's
	// endless loop, its turn is not before the kernel's next tick, twice a request.
	gathering class = unix.SCHED_BATCH
	// preempting runs at once when it has used less than its share, whatever else runs.
	preempting class = unix.SCHED_NORMAL
)

const (
	// countInterval is how often the waits of a gathering process are counted.
	countInterval = 500 * time.Millisecond
	// trialInterval is the same for a process that may still have the neighbours for whose
	// sake it was preempting. It is short because the requests of the interval are slow.
	trialInterval = 100 * time.Millisecond
	// A process is preempting for minPause before it tries to gather. Each time that it does
	// not gather for maxPause after that, it pauses for twice as long, up to maxPause.
	minPause = 10 * time.Second
	maxPause = 60 * time.Second
	// minIdle is the part of a processor that must have been idle in the pause. If none was, the
	// neighbours are still there, and a trial would slow requests down.
	minIdle = 0.1

	// minSlices is the number of slices from which their mean says something.
	minSlices = 20
	// maxWait is the mean wait for a slice above which neighbours are in the way. Under all
	// loads of bench/balancer it is 0.1 to 0.6 ms, and 0.7 to 1.2 ms beside endless loops.
	maxWait = 500 * time.Microsecond
	// minWaitRatio is how many times as long as it runs a process waits at least if
	// neighbours are in the way. Under the loads it is up to 4, and beside loops 10 to 30.
	minWaitRatio = 5
)

// usage is the processor time that threads got, as the kernel counts it.
type usage struct {
	ran    time.Duration
	waited time.Duration // ready to run, while others did
	slices int           // how often they began to run
	idle   time.Duration // time in which all of the host's processors together had nothing to run
}

func (u usage) plus(v usage) usage {
	return usage{u.ran + v.ran, u.waited + v.waited, u.slices + v.slices, u.idle + v.idle}
}

func (u usage) minus(v usage) usage {
	return usage{u.ran - v.ran, u.waited - v.waited, u.slices - v.slices, u.idle - v.idle}
}

// obstructed reports whether neighbours kept the threads from running.
func (u usage) obstructed() bool {
	return u.waited > time.Duration(u.slices)*maxWait && u.waited > minWaitRatio*u.ran
}

// rule decides which class the balancer process is in. It gathers while that costs no time,
// and preempts beside neighbours that make it wait. How long a preempting process waits does
// not tell whether they are still there, so it tries to gather when processors have been idle.
type rule struct {
	class class
	since time.Time     // when it entered the class, or began another pause
	pause time.Duration // of the last time that it was preempting

	trial  bool  // it was preempting, and has not been found to gather without harm
	warned bool  // neighbours were in its way when last counted
	used   usage // since then
}

// newRule returns the rule for a process that begins to gather.
func newRule(at time.Time) rule { return rule{class: gathering, since: at} }

// interval returns when to count next.
func (r *rule) interval() time.Duration {
	switch {
	case r.class == preempting:
		return r.pause
	case r.trial:
		return trialInterval
	default:
		return countInterval
	}
}

// count decides after an interval in which the process used the processors. One interval with
// long waits is not enough, because programs that start cause it too, except in a trial.
func (r *rule) count(at time.Time, used usage) {
	if r.class == preempting {
		if used.idle.Seconds() < minIdle*at.Sub(r.since).Seconds() {
			r.since = at
			return
		}
		r.enter(gathering, at)
		r.trial = true
		return
	}
	r.used = r.used.plus(used)
	if r.used.slices < minSlices {
		return
	}
	obstructed := r.used.obstructed()
	if obstructed && (r.trial || r.warned) {
		if at.Sub(r.since) >= maxPause {
			r.pause = 0
		}
		r.pause = min(max(2*r.pause, minPause), maxPause)
		r.enter(preempting, at)
		return
	}
	r.trial, r.warned, r.used = false, obstructed, usage{}
}

// enter begins a class.
func (r *rule) enter(c class, at time.Time) {
	*r = rule{class: c, since: at, pause: r.pause}
}
