package decision

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// selectForTermination returns instances to terminate that provide no more than so many
// units of capacity. If the group has too many On-Demand or too many Spot Instances, it takes one of that
// kind, from the zone with the most instances and, within the zone, by the termination policies.
// Zones that the group has left come first. It never selects instances that are
// protected from scale-in, unless the group is being deleted (Amazon EC2 Auto Scaling
// User Guide, Configure termination policies). If all instances of the zone provide more, it
// takes none from another: even zones matter more than the excess (the same guide, "Configure
// an Auto Scaling group to use instance weights").
func (d *decision) selectForTermination(counted []*Member, units int) []*Member {
	occupied := map[string]int{}
	candidates := map[string][]*Member{}
	for _, m := range counted {
		occupied[m.Zone]++
		if !m.Protected || d.Group.Deleting {
			candidates[m.Zone] = append(candidates[m.Zone], m)
		}
	}
	for zone := range candidates {
		slices.SortFunc(candidates[zone], d.compareForTermination)
		if !d.inZone(zone) {
			occupied[zone] += len(counted)
		}
	}
	var out []*Member
	left := slices.Clone(counted)
	for units > 0 {
		best := d.nextToTerminate(candidates, occupied, units, d.dueKind(left, candidates))
		if best == nil {
			break
		}
		is := func(m *Member) bool { return m == best }
		out, units = append(out, best), units-best.units()
		occupied[best.Zone]--
		candidates[best.Zone] = slices.DeleteFunc(candidates[best.Zone], is)
		left = slices.DeleteFunc(left, is)
	}
	return out
}

// nextToTerminate returns the first of the candidates of a kind that provides no more than so many
// units of capacity, in the zone with the most instances; nil: there is none.
func (d *decision) nextToTerminate(
	candidates map[string][]*Member, occupied map[string]int, units int, isDue func(*Member) bool,
) (best *Member) {
	most := 0
	for zone, waiting := range candidates {
		if slices.ContainsFunc(waiting, isDue) {
			most = max(most, occupied[zone])
		}
	}
	for zone, waiting := range candidates {
		if occupied[zone] != most {
			continue
		}
		n := slices.IndexFunc(waiting, func(m *Member) bool { return isDue(m) && m.units() <= units })
		if n >= 0 && (best == nil || d.compareForTermination(waiting[n], best) < 0) {
			best = waiting[n]
		}
	}
	return best
}

// dueKind returns a function that reports whether a candidate may be terminated. If the group has too
// many On-Demand or too many Spot Instances, only candidates of that kind may, unless there are none.
func (d *decision) dueKind(left []*Member, candidates map[string][]*Member) func(*Member) bool {
	units := map[bool]int{}
	for _, m := range left {
		units[m.Spot] += m.units()
	}
	spot, matters := d.Purchases.TerminatesSpot(units[false], units[true])
	isDue := func(m *Member) bool { return m.Spot == spot }
	for _, waiting := range candidates {
		if matters && slices.ContainsFunc(waiting, isDue) {
			return isDue
		}
	}
	return func(*Member) bool { return true }
}

// compareForTermination orders two instances by which one is terminated first. If the
// policies do not decide, an instance that is not ready comes first, then the older.
func (d *decision) compareForTermination(a, b *Member) int {
	for _, policy := range d.Group.TerminationPolicies {
		if c := d.compareByPolicy(policy, a, b); c != 0 {
			return c
		}
	}
	return cmp.Or(
		-compareBools(!d.ready(a), !d.ready(b)),
		a.Launched.Compare(b.Launched),
		cmp.Compare(a.InstanceID, b.InstanceID),
	)
}

// compareByPolicy compares by one policy.
func (d *decision) compareByPolicy(policy string, a, b *Member) int {
	switch policy {
	case "OldestInstance":
		return a.Launched.Compare(b.Launched)
	case "NewestInstance":
		return b.Launched.Compare(a.Launched)
	case "OldestLaunchTemplate":
		return d.compareByTemplate(a, b)
	case "OldestLaunchConfiguration":
		return a.Configured.Compare(b.Configured)
	case "ClosestToNextInstanceHour":
		return cmp.Compare(d.toNextHour(a), d.toNextHour(b))
	case "AllocationStrategy":
		return d.compareByPriority(a, b)
	case "Default":
		return cmp.Or(
			d.compareByPriority(a, b),
			d.compareBySource(a, b),
			-compareBools(!d.ready(a), !d.ready(b)),
			cmp.Compare(d.toNextHour(a), d.toNextHour(b)),
		)
	}
	return 0
}

// compareByPriority puts instances of types that come later in the group's mixed
// instances policy first: without them, the group is closer to what the prioritized
// strategy would launch (Amazon EC2 Auto Scaling User Guide, "Configure termination
// policies").
func (d *decision) compareByPriority(a, b *Member) int {
	if len(d.Types) < 2 {
		return 0
	}
	return cmp.Compare(d.priority(b), d.priority(a))
}

// priority returns the position of a member's type in the group's policy. A type that
// the policy does not list comes last.
func (d *decision) priority(m *Member) int {
	if n := slices.Index(d.Types, m.Type); n >= 0 {
		return n
	}
	return len(d.Types)
}

// compareBySource puts instances of the oldest launch configuration first if the group has
// one, and otherwise those that compareByTemplate does.
func (d *decision) compareBySource(a, b *Member) int {
	if d.Group.Configuration != "" {
		return a.Configured.Compare(b.Configured)
	}
	return d.compareByTemplate(a, b)
}

// compareByTemplate puts instances of launch templates other than the group's first,
// then those of the lowest version.
func (d *decision) compareByTemplate(a, b *Member) int {
	current := d.Group.Template.ID
	return cmp.Or(
		-compareBools(a.TemplateID != current, b.TemplateID != current),
		cmp.Compare(versionOf(a.ScalingInstance), versionOf(b.ScalingInstance)),
	)
}

func versionOf(i *store.ScalingInstance) int {
	n, err := strconv.Atoi(i.TemplateVersion)
	if err != nil {
		return 0 // not launched from a template: the oldest
	}
	return n
}

// toNextHour returns the time until the instance begins its next hour.
func (d *decision) toNextHour(m *Member) time.Duration {
	return time.Hour - d.Now.Sub(m.Launched)%time.Hour
}

// compareBools orders false before true.
func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
