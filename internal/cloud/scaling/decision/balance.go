package decision

import (
	"fmt"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// balance brings the number of instances to what is desired, and spreads them
// over the zones. Launches that were begun are run, or run again: a launch's
// activity is its client token, so it never makes two instances.
func (d *decision) balance() {
	for _, a := range d.Launches {
		d.add(Step{Action: LaunchInstance, Activity: a.ID})
	}
	counted := d.counted()
	total, desired := len(counted)+len(d.Launches), int(d.Group.Desired)
	unripe := d.notYetCounted(counted)
	missing, excess := desired+len(d.marked)-total, total-desired-unripe
	switch {
	case d.Group.Deleting && len(counted) > 0:
		d.shrink(counted, total, len(counted))
	case missing > 0 && !d.Group.Deleting:
		d.grow(counted, total, missing)
	case excess > 0:
		d.shrink(counted, total, excess)
	case missing == 0 && unripe == 0 && len(d.Launches) == 0:
		if len(d.Group.Causes) > 0 {
			d.add(Step{Action: ClearCauses})
		}
		d.rebalance(counted)
	}
}

// notYetCounted counts the instances beyond the desired capacity that do not yet do
// what those do whose place they take.
func (d *decision) notYetCounted(counted []*Member) int {
	n := 0
	for _, m := range counted {
		switch {
		case !m.Surplus:
		case d.ready(m):
			d.add(stepFor(CountTowardCapacity, m))
		default:
			n++
		}
	}
	for _, a := range d.Launches {
		if a.Surplus {
			n++
		}
	}
	return n
}

// grow plans launches: first in place of instances that say so, then for the
// difference to the desired capacity.
func (d *decision) grow(counted []*Member, total, missing int) {
	if d.suspended(scalinggroup.Launch) {
		return
	}
	zones := d.occupancy(counted)
	var awaited []*Member // those in whose place another is launched
	for i := range d.Members {
		if m := &d.Members[i]; d.successor(m) != "" {
			awaited = append(awaited, m)
		}
	}
	started := append(slices.Clip(d.Group.Causes), scalinggroup.CauseSentence(
		d.Now,
		"an instance was started in response to a difference between desired and actual capacity, increasing the capacity from %d to %d",
		total,
		total+missing,
	))
	for n := range missing {
		place, ok := zones.nextSubnet()
		if !ok {
			return
		}
		s := Step{
			Action:  PlanLaunch,
			Zone:    place.Zone,
			Subnet:  place.ID,
			Cause:   strings.Join(started, "  "),
			Surplus: total+n >= int(d.Group.Desired),
		}
		if len(awaited) > 0 {
			s.PredecessorID = awaited[0].InstanceID
			s.Cause = scalinggroup.CauseSentence(
				d.Now,
				"an instance was launched in response to %s",
				d.successor(awaited[0]),
			)
			awaited = awaited[1:]
		}
		d.add(s)
	}
}

// successor is the reason that a launch in place of the member has; "": none is
// wanted, or it has been planned.
func (d *decision) successor(m *Member) string {
	if now, ok := d.successorReasons[m.InstanceID]; ok {
		return now
	}
	if m.Replace != "" || scalinggroup.Leaving(m.ScalingInstance) {
		return m.Successor
	}
	return ""
}

// shrink takes instances out: those first whose replacement is there, then as
// the termination policies say.
func (d *decision) shrink(counted []*Member, total, excess int) {
	if d.suspended(scalinggroup.Terminate) && !d.Group.Deleting {
		return
	}
	var rest []*Member
	for _, m := range counted {
		if excess > 0 && m.Replace != "" && m.State == store.LifecycleInService && !d.Group.Deleting {
			d.terminate(m, m.Replace, "")
			excess--
			total--
			continue
		}
		rest = append(rest, m)
	}
	if excess == 0 {
		return
	}
	chosen := d.selectForTermination(rest, excess)
	switch {
	case len(chosen) > 0:
		d.terminateAll(chosen, total)
	case len(d.Group.Causes) > 0:
		d.add(Step{Action: CancelScaleIn, Cause: strings.Join(d.Group.Causes, "  ")})
	}
}

// terminateAll takes those chosen out, with why there were too many.
func (d *decision) terminateAll(chosen []*Member, total int) {
	causes := slices.Clip(d.Group.Causes)
	if len(causes) == 0 {
		causes = append(
			causes,
			scalinggroup.CauseSentence(
				d.Now,
				"instances were launched to balance instances in zones %s with other zones resulting in more than desired number of instances in the group",
				strings.Join(d.Group.Zones, " "),
			),
		)
	}
	causes = append(causes, scalinggroup.CauseSentence(
		d.Now,
		"an instance was taken out of service in response to a difference between desired and actual capacity, shrinking the capacity from %d to %d",
		total,
		total-len(chosen),
	))
	shared := strings.Join(causes, "  ")
	var names []string
	for _, m := range chosen {
		names = append(names, scalinggroup.CauseSentence(d.Now, "instance %s was selected for termination", m.InstanceID))
	}
	if len(chosen) <= maxNamed {
		shared += "  " + strings.Join(names, "  ")
	}
	for n, m := range chosen {
		s := stepFor(BeginTermination, m)
		if s.Cause = shared; len(chosen) > maxNamed {
			s.Cause += "  " + names[n]
		}
		d.leaving[m.InstanceID] = true
		d.add(s)
	}
}

// maxNamed is how many instances that go together each of their activities
// names. AWS's name them all; where there are more, each names its own, or what
// is written would grow with the square of their number.
const maxNamed = 20

// rebalance launches one instance in the emptiest zone when the fullest has two
// more, or when one is in a zone that the group is no longer in. The group has
// one more than is desired then, and takes one out where there are most. It may
// go beyond its maximum size by a tenth, and by one at least (Amazon EC2 Auto
// Scaling User Guide, Rebalancing activities). It waits until everything else
// is at rest, so that it never adds to what is on its way.
func (d *decision) rebalance(counted []*Member) {
	for _, process := range []string{scalinggroup.AZRebalance, scalinggroup.Launch, scalinggroup.Terminate} {
		if d.suspended(process) {
			return
		}
	}
	most := d.Group.Max + max(1, d.Group.Max/10)
	if len(counted) == 0 || d.Group.Desired+1 > most || d.Group.Deleting {
		return
	}
	for _, m := range counted {
		if !d.ready(m) || m.Replace != "" {
			return
		}
	}
	zones := d.occupancy(counted)
	place, ok := zones.nextSubnet()
	if !ok {
		return
	}
	fullest := 0
	for zone, n := range zones.before {
		if !slices.ContainsFunc(d.Subnets, func(s Subnet) bool { return s.Zone == zone }) {
			n = len(counted) + 2
		}
		fullest = max(fullest, n)
	}
	if fullest < zones.before[place.Zone]+2 {
		return
	}
	d.add(
		Step{
			Action:  PlanLaunch,
			Zone:    place.Zone,
			Subnet:  place.ID,
			Surplus: true,
			Cause: scalinggroup.CauseSentence(
				d.Now,
				"availability zones %s had %s instances respectively.  An instance was launched to aid in balancing the group's zones",
				zones.zoneNames(),
				zones.zoneCounts(),
			),
		},
	)
}

// occupancy is how many instances the group has in each place, and where the
// next goes.
type occupancy struct {
	d       *decision
	before  map[string]int // zone → instances
	zones   map[string]int // with those planned
	subnets map[string]int
	trying  map[string]bool // zones in trouble in which a launch is on its way
}

func (d *decision) occupancy(counted []*Member) *occupancy {
	o := &occupancy{
		d:       d,
		before:  map[string]int{},
		zones:   map[string]int{},
		subnets: map[string]int{},
		trying:  map[string]bool{},
	}
	add := func(zone, subnet string) {
		o.before[zone]++
		o.zones[zone]++
		o.subnets[subnet]++
	}
	for _, m := range counted {
		add(m.Zone, m.SubnetID)
		if d.marked[m.InstanceID] {
			// Another is launched where this one leaves room.
			o.zones[m.Zone]--
			o.subnets[m.SubnetID]--
		}
		if m.State != store.LifecycleInService {
			o.trying[m.Zone] = true
		}
	}
	for _, a := range d.Launches {
		add(a.Zone, a.SubnetID)
		o.trying[a.Zone] = true
	}
	return o
}

// nextSubnet is the place for one more instance: the zone with the fewest, and there
// the subnet with the fewest. A zone in which launches failed is passed over
// until its time is up, and is then tried with one launch; with the
// distribution balanced-only nothing is launched elsewhere meanwhile.
func (o *occupancy) nextSubnet() (Subnet, bool) {
	var best *Subnet
	for i := range o.d.Subnets {
		s := &o.d.Subnets[i]
		if o.d.Group.Distribution != "balanced-only" && !o.zoneUsable(s.Zone) {
			continue
		}
		if best == nil || o.zones[s.Zone] < o.zones[best.Zone] ||
			s.Zone == best.Zone && o.subnets[s.ID] < o.subnets[best.ID] {
			best = s
		}
	}
	if best == nil || !o.zoneUsable(best.Zone) {
		return Subnet{}, false
	}
	o.zones[best.Zone]++
	o.subnets[best.ID]++
	o.trying[best.Zone] = true
	return *best, true
}

func (o *occupancy) zoneUsable(zone string) bool {
	if o.d.failedZones[zone] {
		return false
	}
	for _, t := range o.d.Group.Troubles {
		if t.Zone == zone {
			o.d.wakeAt(t.Until)
			return !o.d.Now.Before(t.Until) && !o.trying[zone]
		}
	}
	return true
}

func (o *occupancy) zoneNames() string {
	var out []string
	for _, s := range o.d.Subnets {
		if !slices.Contains(out, s.Zone) {
			out = append(out, s.Zone)
		}
	}
	return strings.Join(out, " ")
}

func (o *occupancy) zoneCounts() string {
	var out []string
	for zone := range strings.FieldsSeq(o.zoneNames()) {
		out = append(out, fmt.Sprint(o.before[zone]))
	}
	return strings.Join(out, " ")
}
