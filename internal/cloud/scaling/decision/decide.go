// Package decision decides what an Auto Scaling group does next: which instances
// enter service, are replaced or leave, where the next one launches, and how far an
// instance refresh proceeds. It reads rows and returns steps; it changes nothing.
package decision

import (
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// Action is one kind of step.
type Action string

// The actions. Those of the first list change rows alone; those of the second
// call other services first.
const (
	PlanLaunch           Action = "plan a launch"
	WaitForHooks         Action = "wait for hooks"
	ProceedAfterHooks    Action = "go on after hooks"
	AbandonLaunch        Action = "give a launch up"
	MarkUnhealthy        Action = "mark as unhealthy"
	BeginTermination     Action = "take out of service"
	MarkForReplacement   Action = "replace, launching first"
	UnmarkForReplacement Action = "replace no longer"
	UpdateRefresh        Action = "write the refresh down"
	CountTowardCapacity  Action = "count as ready"
	WaitForDraining      Action = "wait for connection draining"
	EnterStandby         Action = "put into standby"
	Detach               Action = "detach"
	ForgetTerminated     Action = "forget a terminated instance"
	ForgetTargetGroup    Action = "forget a detached target group"
	CancelScaleIn        Action = "tell that protection forbids to scale in"
	ClearCauses          Action = "forget why the desired capacity changed"
	DeleteGroup          Action = "delete the group"

	LaunchInstance    Action = "launch an instance"
	EnterService      Action = "register and put into service"
	RegisterTargets   Action = "register with target groups"
	DeregisterTargets Action = "deregister from target groups"
	TerminateInstance Action = "terminate an instance"
)

// Step is one thing to do, with what it needs.
type Step struct {
	Action          Action
	InstanceID      string // its id
	LifecycleState  string // lifecycle state that the decision was made for
	Activity        string // RunLaunch
	Zone, Subnet    string // PlanLaunch
	Surplus         bool   // PlanLaunch
	PredecessorID   string // PlanLaunch: the instance whose Successor this is
	TargetGroups    []string
	Targets         []*store.Target           // Deregister
	Cause           string                    // of the activity that begins: sentences
	Reason          string                    // reason as scalinggroup lists them
	SuccessorReason string                    // as in scalinggroup.TakeOut
	Message         string                    // GiveUp: why
	Refresh         [2]*store.InstanceRefresh // Note: as it was seen, as it is now
}

// Plan is what a group does now, and when it has to look again although nothing
// has changed. A zero time is never.
type Plan struct {
	Steps []Step
	Wake  time.Time
}

// decision is a plan in the making.
type decision struct {
	Situation
	Plan
	leaving          map[string]bool   // ids of instances that a step takes out
	marked           map[string]bool   // ids of instances that are, or will be, replaced by another launched first
	unhealthy        map[string]string // why instances in service are not healthy, by id
	successorReasons map[string]string // what launches in place of instances that steps send away are in response to, by id
	failedZones      map[string]bool   // zones in which a launch is given up now
}

// Decide says what a group does next. The order matters: first every instance
// goes on its own way; then those that are not healthy, or too old, are taken
// out or marked for replacement; last the number of instances is brought to
// what is desired. Whatever is decided is either a change of rows, which the
// next decision sees, or a call that may be repeated.
func Decide(s Situation) Plan {
	d := &decision{
		Situation:        s,
		leaving:          map[string]bool{},
		marked:           map[string]bool{},
		unhealthy:        map[string]string{},
		successorReasons: map[string]string{},
		failedZones:      map[string]bool{},
	}
	for i := range d.Members {
		d.advance(&d.Members[i])
	}
	if !s.Group.Deleting {
		d.checkHealth()
		d.checkLifetime()
		d.refresh()
	}
	d.balance()
	d.leaveTargetGroups()
	if s.Group.Deleting && len(s.Members) == 0 && len(s.Launches) == 0 {
		d.add(Step{Action: DeleteGroup})
	}
	return d.Plan
}

func (d *decision) add(s Step) { d.Steps = append(d.Steps, s) }

// stepFor is a step for an instance as it is.
func stepFor(do Action, m *Member) Step {
	return Step{Action: do, InstanceID: m.InstanceID, LifecycleState: m.State}
}

// wakeAt asks for another look at a time to come.
func (d *decision) wakeAt(t time.Time) {
	if t.After(d.Now) && (d.Wake.IsZero() || t.Before(d.Wake)) {
		d.Wake = t
	}
}

// counted are the members that are part of the group's capacity and that no
// step takes out.
func (d *decision) counted() []*Member {
	var out []*Member
	for i := range d.Members {
		if m := &d.Members[i]; scalinggroup.CountsTowardCapacity(m.ScalingInstance) && !d.leaving[m.InstanceID] {
			out = append(out, m)
		}
	}
	return out
}

// ready tells whether the member serves, is known to be healthy and has warmed
// up. Where the group heeds ELB's checks they have to pass in the grace period
// too: that one only puts off what a failing check leads to.
func (d *decision) ready(m *Member) bool {
	if m.State == store.LifecycleInService {
		d.wakeAt(m.InServiceSince.Add(d.Warmup))
	}
	return scalinggroup.WarmedUp(m.ScalingInstance, d.Warmup, d.Now) && d.unhealthy[m.InstanceID] == "" && !d.awaitsELBHealth(m)
}

// awaitsELBHealth tells whether the group heeds ELB's health checks and one of its
// target groups has yet to call the member healthy. Where a target group is used
// by no load balancer there is nothing to wait for.
func (d *decision) awaitsELBHealth(m *Member) bool {
	return d.usesELBHealth() && slices.ContainsFunc(m.Targets, func(t *store.Target) bool {
		return slices.Contains(d.Group.TargetGroupARNs, t.TargetGroupARN) && t.DeregisteredAt.IsZero() &&
			t.State != "healthy" &&
			t.State != "unused"
	})
}

// terminate begins the end of an instance in service. The launch that takes its
// place has the reason successor; "": there is none.
func (d *decision) terminate(m *Member, because, successor string) {
	if m.Replace != "" {
		successor = "" // it is launched, or to be, already
	}
	s := stepFor(BeginTermination, m)
	s.Reason, s.SuccessorReason = because, successor
	d.leaving[m.InstanceID], d.successorReasons[m.InstanceID] = true, successor
	d.add(s)
}

// replace marks an instance for a replacement that is launched first.
func (d *decision) replace(m *Member, because, successor string) {
	s := stepFor(MarkForReplacement, m)
	s.Reason, s.SuccessorReason = because, successor
	d.marked[m.InstanceID], d.successorReasons[m.InstanceID] = true, successor
	d.add(s)
}

// leaveTargetGroups forgets those target groups that the group was detached
// from and where none of its instances is left.
func (d *decision) leaveTargetGroups() {
	for _, arn := range d.Group.LeavingTargetGroups {
		if !slices.ContainsFunc(d.Members, func(m Member) bool {
			return !m.ended() &&
				slices.ContainsFunc(m.Targets, func(t *store.Target) bool { return t.TargetGroupARN == arn })
		}) {
			d.add(Step{Action: ForgetTargetGroup, TargetGroups: []string{arn}})
		}
	}
}
