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

// The actions. Those of the first list only change rows; those of the second call
// other services first.
const (
	PlanLaunch           Action = "plan a launch"
	WaitForHooks         Action = "wait for hooks"
	ProceedAfterHooks    Action = "proceed after hooks"
	AbandonLaunch        Action = "abandon a launch"
	MarkUnhealthy        Action = "mark unhealthy"
	BeginTermination     Action = "begin termination"
	MarkForReplacement   Action = "mark for replacement"
	UnmarkForReplacement Action = "unmark for replacement"
	UpdateRefresh        Action = "update the instance refresh"
	CountTowardCapacity  Action = "count toward capacity"
	WaitForDraining      Action = "wait for connection draining"
	EnterStandby         Action = "enter standby"
	Detach               Action = "detach"
	ForgetTerminated     Action = "forget a terminated instance"
	ForgetTargetGroup    Action = "forget a detached target group"
	CancelScaleIn        Action = "cancel a scale-in because of protection"
	ClearCauses          Action = "clear causes"
	DeleteGroup          Action = "delete group"
	TakeFromPool         Action = "take an instance from the warm pool"
	EnterPool            Action = "enter the warm pool"
	ReturnToPool         Action = "return to the warm pool"
	DeletePool           Action = "delete the warm pool"

	LaunchInstance    Action = "launch an instance"
	EnterService      Action = "enter service"
	RegisterTargets   Action = "register with target groups"
	DeregisterTargets Action = "deregister from target groups"
	TerminateInstance Action = "terminate an instance"
	StartInstance     Action = "start an instance"
	StopInstance      Action = "stop an instance"
)

// Step is one thing to do, with its parameters.
type Step struct {
	Action          Action
	InstanceID      string // empty: the step is about the group
	LifecycleState  string // that the decision saw; a step for an instance that left it is skipped
	Activity        string // LaunchInstance: id of the planned launch
	Zone, Subnet    string // PlanLaunch
	Surplus         bool   // PlanLaunch, TakeFromPool
	Warm            bool   // PlanLaunch: into the warm pool
	ToPool          bool   // BeginTermination: the instance returns to the warm pool
	PredecessorID   string // PlanLaunch, TakeFromPool: the instance that the launch replaces
	TargetGroups    []string
	Targets         []*store.Target           // DeregisterTargets
	Cause           string                    // of the new activity: sentences
	Reason          string                    // one of scalinggroup's Reason constants
	SuccessorReason string                    // as in scalinggroup.TakeOutOfService
	Message         string                    // AbandonLaunch: the activity's status message
	Refresh         [2]*store.InstanceRefresh // UpdateRefresh: before and after
}

// Plan describes what a group does now, and when it must decide again even if no row
// changes. A zero time means never.
type Plan struct {
	Steps []Step
	Wake  time.Time
}

// decision accumulates a plan.
type decision struct {
	Situation
	Plan
	leaving          map[string]bool   // ids of instances that a step terminates
	marked           map[string]bool   // ids of instances marked for replacement, before or by this decision
	markedUnits      int               // of capacity that the marked instances provide
	unhealthy        map[string]string // reasons why instances in service are unhealthy, by id
	successorReasons map[string]string // reasons of the launches that replace instances, by the replaced id
	failedZones      map[string]bool   // zones in which this decision abandons a launch
	sentToPool       int               // instances that steps send back to the warm pool
}

// Decide returns what a group does next. The order matters: first each instance
// advances in its lifecycle; then instances that are unhealthy or too old are
// terminated or marked for replacement; last the number of instances approaches the
// desired capacity. Each step either changes rows, which the next decision sees, or
// makes a call that may be repeated.
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
	for i := range d.Warmed {
		d.advanceWarmed(&d.Warmed[i])
	}
	if !s.Group.Deleting {
		d.checkHealth()
		d.checkLifetime()
		d.refresh()
	}
	d.balance()
	d.fillPool()
	d.leaveTargetGroups()
	switch {
	case !s.Group.Deleting || len(s.Members)+len(s.Launches)+len(s.Warmed)+len(s.WarmLaunches) > 0:
	case s.Now.Before(s.Group.GoneAt):
		d.wakeAt(s.Group.GoneAt)
	default:
		d.add(Step{Action: DeleteGroup})
	}
	return d.Plan
}

func (d *decision) add(s Step) { d.Steps = append(d.Steps, s) }

// stepFor returns a step for an instance in its present lifecycle state.
func stepFor(do Action, m *Member) Step {
	return Step{Action: do, InstanceID: m.InstanceID, LifecycleState: m.State}
}

// wakeAt asks for another decision at a time in the future.
func (d *decision) wakeAt(t time.Time) {
	if t.After(d.Now) && (d.Wake.IsZero() || t.Before(d.Wake)) {
		d.Wake = t
	}
}

// counted returns the members that are part of the group's capacity and that no step
// terminates.
func (d *decision) counted() []*Member {
	var out []*Member
	for i := range d.Members {
		if m := &d.Members[i]; scalinggroup.CountsTowardCapacity(m.ScalingInstance) && !d.leaving[m.InstanceID] {
			out = append(out, m)
		}
	}
	return out
}

// ready reports whether the member is in service, known to be healthy and warmed up.
// If the group uses ELB health checks, they must have passed even during the grace
// period, which only delays the consequences of a failing check.
func (d *decision) ready(m *Member) bool {
	if m.State == store.LifecycleInService {
		d.wakeAt(m.InServiceSince.Add(d.Warmup))
	}
	return scalinggroup.WarmedUp(
		m.ScalingInstance, d.Warmup, d.Now,
	) && d.unhealthy[m.InstanceID] == "" && !d.awaitsELBHealth(m)
}

// awaitsELBHealth reports whether the group uses ELB health checks and one of its
// target groups has not reported the member healthy yet. A target group without a
// load balancer checks nothing, so there is nothing to wait for.
func (d *decision) awaitsELBHealth(m *Member) bool {
	return d.usesELBHealth() && slices.ContainsFunc(m.Targets, func(t *store.Target) bool {
		return slices.Contains(d.Group.TargetGroupARNs, t.TargetGroupARN) && t.DeregisteredAt.IsZero() &&
			t.State != "healthy" &&
			t.State != "unused"
	})
}

// terminate begins the termination of an instance. successor is the reason of the
// launch that replaces it, or empty if none does.
func (d *decision) terminate(m *Member, because, successor string) {
	if m.ReplaceCause != "" {
		successor = "" // its replacement is launched or planned already
	}
	s := stepFor(BeginTermination, m)
	s.Reason, s.SuccessorReason = because, successor
	d.leaving[m.InstanceID], d.successorReasons[m.InstanceID] = true, successor
	d.add(s)
}

// replace marks an instance for replacement: the replacement launches first.
func (d *decision) replace(m *Member, because, successor string) {
	s := stepFor(MarkForReplacement, m)
	s.Reason, s.SuccessorReason = because, successor
	d.successorReasons[m.InstanceID] = successor
	d.mark(m, true)
	d.add(s)
}

// mark records whether an instance is marked for replacement.
func (d *decision) mark(m *Member, marked bool) {
	switch {
	case marked == d.marked[m.InstanceID]:
	case marked:
		d.markedUnits += m.units()
	default:
		d.markedUnits -= m.units()
	}
	d.marked[m.InstanceID] = marked
}

// leaveTargetGroups drops the target groups that were detached from the group once
// none of its instances is registered there.
func (d *decision) leaveTargetGroups() {
	for _, arn := range d.Group.DetachedTargetGroups {
		if !slices.ContainsFunc(d.Members, func(m Member) bool {
			return !m.ended() &&
				slices.ContainsFunc(m.Targets, func(t *store.Target) bool { return t.TargetGroupARN == arn })
		}) {
			d.add(Step{Action: ForgetTargetGroup, TargetGroups: []string{arn}})
		}
	}
}
