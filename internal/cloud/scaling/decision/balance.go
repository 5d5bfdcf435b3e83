package decision

import (
	"fmt"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// balance brings the group's capacity to the desired one and spreads the instances over
// the zones. Where instances have weights, the group keeps what exceeds its desired capacity
// by less than an instance provides (Amazon EC2 Auto Scaling User Guide, "Configure an Auto
// Scaling group to use instance weights"). It runs, or repeats, the launches in progress: the
// id of a launch's activity is its client token, so a repeat never launches a second instance.
func (d *decision) balance() {
	for _, a := range d.Launches {
		d.repeatLaunch(a)
	}
	counted := d.counted()
	total, desired := unitsOf(counted)+d.launchUnits(len(d.Launches)), int(d.Group.Desired)
	pending := d.notYetCounted(counted)
	missing, excess := desired+d.markedUnits-total, total-desired-pending
	switch {
	case d.Group.Deleting && len(counted) > 0:
		d.shrink(counted, total, unitsOf(counted))
	case missing > 0 && !d.Group.Deleting:
		d.grow(counted, total, missing)
	case excess > 0 && d.shrink(counted, total, excess):
	case missing <= 0 && pending == 0 && len(d.Launches) == 0:
		if len(d.Group.CapacityCauses) > 0 {
			d.add(Step{Action: ClearCauses})
		}
		d.rebalance(counted)
	}
}

// repeatLaunch runs a planned launch when it is time.
func (d *decision) repeatLaunch(a *store.ScalingActivity) {
	if d.Now.Before(a.LaunchAt) {
		d.wakeAt(a.LaunchAt)
		return
	}
	d.add(Step{Action: LaunchInstance, Activity: a.ID})
}

// notYetCounted returns how many units beyond the desired capacity are not yet ready to
// replace others.
func (d *decision) notYetCounted(counted []*Member) int {
	n := d.surplusLaunches()
	for _, m := range counted {
		switch {
		case !m.Surplus:
		case d.ready(m):
			d.add(stepFor(CountTowardCapacity, m))
		default:
			n += m.units()
		}
	}
	return n
}

// surplusLaunches returns how many units the planned launches beyond the desired capacity
// provide.
func (d *decision) surplusLaunches() int {
	n := 0
	for _, a := range d.Launches {
		if a.Surplus {
			n += d.launchUnits(1)
		}
	}
	return n
}

// grow plans launches: first the replacements that instances await, then those that
// the desired capacity lacks.
func (d *decision) grow(counted []*Member, total, missing int) {
	if d.suspended(scalinggroup.Launch) {
		return
	}
	zones := d.occupancy(counted, d.Launches)
	var awaited []*Member // members that await a replacement
	for i := range d.Members {
		if m := &d.Members[i]; d.successor(m) != "" {
			awaited = append(awaited, m)
		}
	}
	started := append(slices.Clip(d.Group.CapacityCauses), scalinggroup.CauseGrown(d.Now, total, total+missing))
	for n := range d.launchesFor(missing) {
		place, ok := zones.nextSubnet()
		if !ok {
			return
		}
		s := Step{
			Action:  PlanLaunch,
			Zone:    place.Zone,
			Subnet:  place.ID,
			Cause:   strings.Join(started, "  "),
			Surplus: total+d.launchUnits(n) >= int(d.Group.Desired),
		}
		if len(awaited) > 0 {
			s.PredecessorID = awaited[0].InstanceID
			s.Cause = scalinggroup.CauseLaunched(d.Now, d.successor(awaited[0]))
			awaited = awaited[1:]
		}
		if m := d.takeWarm(zones, place); m != nil {
			s.Action, s.InstanceID, s.LifecycleState = TakeFromPool, m.InstanceID, m.State
		}
		d.add(s)
	}
}

// successor returns the reason of the launch that replaces the member. It is empty if
// nothing replaces the member or the launch is planned already.
func (d *decision) successor(m *Member) string {
	if now, ok := d.successorReasons[m.InstanceID]; ok {
		return now
	}
	if m.ReplaceCause != "" || scalinggroup.Leaving(m.ScalingInstance) {
		return m.ReplacementCause
	}
	return ""
}

// shrink terminates instances: first those whose replacement is in service, then
// those that the termination policies select. It reports whether the group is not yet what
// it should be: false if all instances provide more than the excess.
func (d *decision) shrink(counted []*Member, total, excess int) bool {
	if d.suspended(scalinggroup.Terminate) && !d.Group.Deleting {
		return true
	}
	var rest []*Member
	for _, m := range counted {
		if m.units() <= excess && m.ReplaceCause != "" && m.State == store.LifecycleInService && !d.Group.Deleting {
			d.terminate(m, m.ReplaceCause, "")
			excess -= m.units()
			total -= m.units()
			continue
		}
		rest = append(rest, m)
	}
	if excess == 0 {
		return true
	}
	chosen := d.selectForTermination(rest, excess)
	protected := func(m *Member) bool { return m.Protected && m.units() <= excess }
	switch {
	case len(chosen) > 0:
		d.terminateAll(chosen, total)
	case !slices.ContainsFunc(rest, protected):
		return len(rest) < len(counted)
	case len(d.Group.CapacityCauses) > 0:
		d.add(Step{Action: CancelScaleIn, Cause: strings.Join(d.Group.CapacityCauses, "  ")})
	}
	return true
}

// terminateAll terminates the chosen instances. Their activities say why the group had
// too many.
func (d *decision) terminateAll(chosen []*Member, total int) {
	causes := slices.Clip(d.Group.CapacityCauses)
	if len(causes) == 0 {
		causes = append(causes, scalinggroup.CauseBalanced(d.Now, strings.Join(d.Group.Zones, " ")))
	}
	causes = append(causes, scalinggroup.CauseShrunk(d.Now, total, total-unitsOf(chosen)))
	shared := strings.Join(causes, "  ")
	var names []string
	for _, m := range chosen {
		names = append(names, scalinggroup.CauseSelected(d.Now, m.InstanceID))
	}
	if len(chosen) <= maxNamed {
		shared += "  " + strings.Join(names, "  ")
	}
	for n, m := range chosen {
		s := stepFor(BeginTermination, m)
		if s.Cause = shared; len(chosen) > maxNamed {
			s.Cause += "  " + names[n]
		}
		if s.ToPool = d.returns(m); s.ToPool {
			d.sentToPool++
		}
		d.leaving[m.InstanceID] = true
		d.add(s)
	}
}

// maxNamed limits how many instances each activity of a common termination names.
// AWS names all of them. Beyond the limit each activity names only its own instance;
// otherwise the text would grow with the square of their number.
const maxNamed = 20

// rebalance launches one instance in the emptiest zone if the fullest zone has two
// more, or if an instance is in a zone that the group has left. The group then has one
// instance too many and terminates one in the fullest zone. It may exceed its maximum
// size by a tenth, and by at least one (Amazon EC2 Auto Scaling User Guide,
// Rebalancing activities). It waits until nothing else is in progress. With weights, the new
// instance must be worth one in the fullest zone.
func (d *decision) rebalance(counted []*Member) {
	for _, process := range []string{scalinggroup.AZRebalance, scalinggroup.Launch, scalinggroup.Terminate} {
		if d.suspended(process) {
			return
		}
	}
	most, more := int(d.Group.Max)+max(d.launchUnits(1), int(d.Group.Max/10)), unitsOf(counted)+d.launchUnits(1)
	if len(counted) == 0 || more > most || d.Group.Deleting {
		return
	}
	for _, m := range counted {
		if !d.ready(m) || m.ReplaceCause != "" {
			return
		}
	}
	zones := d.occupancy(counted, d.Launches)
	place, ok := zones.nextSubnet()
	if !ok {
		return
	}
	fullest := slices.MaxFunc(counted, func(a, b *Member) int { return zones.crowd(a) - zones.crowd(b) })
	leaves := func(m *Member) bool {
		return zones.crowd(m) == zones.crowd(fullest) && m.units() <= more-int(d.Group.Desired)
	}
	if zones.crowd(fullest) < zones.before[place.Zone]+2 || !slices.ContainsFunc(counted, leaves) {
		return
	}
	d.add(Step{
		Action:  PlanLaunch,
		Zone:    place.Zone,
		Subnet:  place.ID,
		Surplus: true,
		Cause:   scalinggroup.CauseZonesUneven(d.Now, zones.zoneNames(), zones.zoneCounts()),
	})
}

// occupancy counts the group's instances by zone and subnet and chooses where the next
// one launches.
type occupancy struct {
	d       *decision
	before  map[string]int // instances by zone
	zones   map[string]int // including planned launches
	subnets map[string]int
	trying  map[string]bool // zones with a launch in progress
}

func (d *decision) occupancy(counted []*Member, launches []*store.ScalingActivity) *occupancy {
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
			// Its replacement launches where this one leaves room.
			o.zones[m.Zone]--
			o.subnets[m.SubnetID]--
		}
		if !settled(m) {
			o.trying[m.Zone] = true
		}
	}
	for _, a := range launches {
		add(a.Zone, a.SubnetID)
		o.trying[a.Zone] = true
	}
	return o
}

// crowd returns how many instances are in the zone of one: more than in any other zone if the
// group has left it.
func (o *occupancy) crowd(m *Member) int {
	if !o.d.inZone(m.Zone) {
		return len(o.d.Members) + 2
	}
	return o.before[m.Zone]
}

// settled reports whether a member's launch has succeeded.
func settled(m *Member) bool {
	switch m.State {
	case store.LifecycleInService, store.LifecycleWarmedStopped, store.LifecycleWarmedRunning:
		return true
	}
	return false
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

// move counts a launch at the place of an instance of the warm pool instead of another place.
func (o *occupancy) move(from Subnet, to *Member) {
	o.zones[from.Zone]--
	o.subnets[from.ID]--
	o.zones[to.Zone]++
	o.subnets[to.SubnetID]++
}

// zoneUsable reports whether a launch in the zone may be tried now.
func (o *occupancy) zoneUsable(zone string) bool {
	if o.d.failedZones[zone] {
		return false
	}
	for _, t := range o.d.Group.LaunchFailures {
		if t.Zone == zone {
			o.d.wakeAt(t.Until)
			return !o.d.Now.Before(t.Until) && !o.trying[zone]
		}
	}
	return true
}

// zoneNames lists the group's zones, separated by spaces.
func (o *occupancy) zoneNames() string {
	var out []string
	for _, s := range o.d.Subnets {
		if !slices.Contains(out, s.Zone) {
			out = append(out, s.Zone)
		}
	}
	return strings.Join(out, " ")
}

// zoneCounts lists the instances in each of the zones of zoneNames.
func (o *occupancy) zoneCounts() string {
	var out []string
	for zone := range strings.FieldsSeq(o.zoneNames()) {
		out = append(out, fmt.Sprint(o.before[zone]))
	}
	return strings.Join(out, " ")
}
