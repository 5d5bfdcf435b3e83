package decision

import (
	"cmp"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// Situation is everything that decides what a group does next.
type Situation struct {
	Group    *store.ScalingGroup
	Members  []Member
	Launches []*store.ScalingActivity // in progress and without an instance yet
	// The warm pool; nil: the group has none. Its instances are not among Members.
	Pool         *store.WarmPool
	Warmed       []Member
	WarmLaunches []*store.ScalingActivity // in progress and without an instance yet
	Hooks        []*store.LifecycleHook
	Subnets      []Subnet // that the group may launch into, in the group's order
	Types        []string // of its mixed instances policy, the preferred one first; empty: it has none
	LaunchUnits  int      // of capacity that the next launch adds; 0 counts as one
	Purchases    scalinggroup.Purchases
	Warmup       time.Duration
	Refresh      *Refresh // in progress; nil: none
	Now          time.Time
}

// Member is an instance of the group with its observed state.
type Member struct {
	*store.ScalingInstance
	Machine   string // the instance's state in EC2; "": EC2 no longer has it
	Reason    string // code of the state's reason
	Reachable bool   // passes its status checks, or is rebooting
	Booted    time.Time
	Spot      bool // a Spot Instance
	Targets   []*store.Target
	// Configured is when its launch configuration was created; zero: it has none, or that
	// is deleted.
	Configured time.Time
}

// Subnet is a subnet that a group may launch into.
type Subnet struct{ ID, Zone string }

// Collect reads a group's situation. Its cost grows with the number of the group's
// instances.
func Collect(r store.Reader, g *store.ScalingGroup, now time.Time) Situation {
	s := Situation{Group: g, Now: now, Hooks: store.LifecycleHooksByGroup.List(r, g.Key())}
	s.Launches, s.WarmLaunches = launches(r, g)
	s.Pool, _ = store.WarmPools.Get(r, g.Key())
	for _, id := range g.SubnetIDs {
		if subnet, ok := store.Subnets.Get(r, id); ok {
			s.Subnets = append(s.Subnets, Subnet{id, subnet.Zone})
		}
	}
	for _, i := range scalinggroup.Instances(r, g.Key()) {
		if scalinggroup.InWarmPool(i) {
			s.Warmed = append(s.Warmed, collectMember(r, i))
		} else {
			s.Members = append(s.Members, collectMember(r, i))
		}
	}
	if sources, err := scalinggroup.SourcesOf(r, g); err == nil && g.Mixed != "" { // else its launches fail and say why
		for _, source := range sources {
			s.Types = append(s.Types, source.InstanceType)
		}
	}
	s.LaunchUnits, s.Purchases = scalinggroup.NextUnits(r, g), scalinggroup.PurchasesOf(g)
	s.Warmup = scalinggroup.Warmup(g)
	if row, ok := scalinggroup.ActiveRefresh(r, g.Key()); ok {
		s.Refresh = collectRefresh(r, g, row, slices.Concat(s.Members, s.Warmed))
		s.Warmup = s.Refresh.Preferences.Warmup()
	}
	return s
}

// launches returns the launches in progress that have no instance yet, into the group and into
// its warm pool, oldest first.
func launches(r store.Reader, g *store.ScalingGroup) (group, pool []*store.ScalingActivity) {
	all := slices.Clone(store.OpenScalingActivitiesByGroup.List(r, g.Key()))
	slices.SortFunc(all, func(a, b *store.ScalingActivity) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Zone, b.Zone))
	})
	for _, a := range all {
		switch {
		case a.InstanceID != "":
		case scalinggroup.OfWarmPool(a):
			pool = append(pool, a)
		default:
			group = append(group, a)
		}
	}
	return group, pool
}

// collectMember reads the observed state of an instance.
func collectMember(r store.Reader, i *store.ScalingInstance) Member {
	m := Member{ScalingInstance: i, Targets: store.TargetsByID.List(r, i.InstanceID)}
	if machine, ok := store.Instances.Get(r, i.InstanceID); ok {
		m.Machine, m.Reason, m.Reachable = machine.State, machine.StateReasonCode, machine.Reachable ||
			machine.Reboots != machine.RebootsDone
		m.Booted, m.Spot = machine.MachineStarted, machine.SpotRequestID != ""
	}
	if row, ok := store.LaunchConfigurations.Get(r, i.Region.Key(i.Configuration)); ok {
		m.Configured = row.Created
	}
	return m
}

// units returns how many units of capacity the member provides.
func (m *Member) units() int { return scalinggroup.Units(m.ScalingInstance) }

// unitsOf returns how many units of capacity the members provide.
func unitsOf(members []*Member) (n int) {
	for _, m := range members {
		n += m.units()
	}
	return n
}

// launchUnits returns how many units of capacity n launches provide.
func (s *Situation) launchUnits(n int) int { return n * max(s.LaunchUnits, 1) }

// launchesFor returns how many launches provide at least so many units of capacity.
func (s *Situation) launchesFor(units int) int {
	each := s.launchUnits(1)
	return (units + each - 1) / each
}

// ended reports whether the machine is stopped or terminated, or about to be.
func (m *Member) ended() bool { return m.Machine != store.Pending && m.Machine != store.Running }

// terminated reports whether no machine is left to terminate.
func (m *Member) terminated() bool { return m.Machine == "" || m.Machine == store.Terminated }

func (s *Situation) suspended(process string) bool { return scalinggroup.Suspended(s.Group, process) }

// hooks returns the lifecycle hooks of a transition.
func (s *Situation) hooks(transition string) []*store.LifecycleHook {
	var out []*store.LifecycleHook
	for _, h := range s.Hooks {
		if h.Transition == transition {
			out = append(out, h)
		}
	}
	return out
}
