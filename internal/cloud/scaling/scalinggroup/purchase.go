package scalinggroup

import (
	"cmp"
	"encoding/json"

	"aloft.dev/aloft/internal/cloud/store"
)

// Purchases says how many units of a group's capacity On-Demand Instances provide. Spot Instances
// provide the others. The zero value is that of a group without Spot Instances.
type Purchases struct {
	mixed          bool // there are Spot Instances
	base, percents int  // of On-Demand Instances: in units, and above that
	maxPrice       string
}

// PurchasesOf returns the instances distribution of a group's mixed instances policy. A policy that
// cannot be read has no Spot Instances: its launches fail and say why.
func PurchasesOf(g *store.ScalingGroup) Purchases {
	var policy struct {
		InstancesDistribution struct {
			OnDemandBaseCapacity                int
			OnDemandPercentageAboveBaseCapacity *int
			SpotMaxPrice                        string
		}
	}
	if g.Mixed == "" || json.Unmarshal([]byte(g.Mixed), &policy) != nil {
		return Purchases{}
	}
	d := policy.InstancesDistribution
	if d.OnDemandPercentageAboveBaseCapacity == nil {
		return Purchases{}
	}
	percents := *d.OnDemandPercentageAboveBaseCapacity
	return Purchases{percents < 100, d.OnDemandBaseCapacity, percents, d.SpotMaxPrice}
}

// onDemand returns how many of so many units On-Demand Instances provide: the base first, and a
// share of what is above it (Amazon EC2 Auto Scaling API Reference, InstancesDistribution). A part
// of a unit counts as one.
func (p Purchases) onDemand(units int) int {
	if units <= p.base {
		return units
	}
	return p.base + ((units-p.base)*p.percents+99)/100
}

// LaunchesSpot reports whether the next launch of so many units is of a Spot Instance, in a group
// with so many units of each kind.
func (p Purchases) LaunchesSpot(onDemand, spot, units int) bool {
	return p.mixed && onDemand >= p.onDemand(onDemand+spot+units)
}

// TerminatesSpot reports whether a group with so many units of each kind, which loses one, loses a
// Spot Instance. only reports whether it matters: a group has both kinds (Amazon EC2 Auto Scaling
// User Guide, "Configure termination policies": it first identifies which of the two types
// should be terminated).
func (p Purchases) TerminatesSpot(onDemand, spot int) (isSpot, matters bool) {
	return onDemand <= p.onDemand(onDemand+spot-1), p.mixed && onDemand > 0 && spot > 0
}

// IsSpot reports whether an instance is a Spot Instance.
func IsSpot(r store.Reader, i *store.ScalingInstance) bool {
	machine, ok := store.Instances.Get(r, i.InstanceID)
	return ok && machine.SpotRequestID != ""
}

// Bought returns the sources with the kind of instances that the group launches next, On-Demand or
// Spot. Instances whose replacements are awaited do not count.
func Bought(r store.Reader, g *store.ScalingGroup, sources []Source) []Source {
	p := PurchasesOf(g)
	units := map[bool]int{}
	for _, i := range Instances(r, g.Key()) {
		if CountsTowardCapacity(i) && i.ReplaceCause == "" {
			units[IsSpot(r, i)] += Units(i)
		}
	}
	if !p.LaunchesSpot(units[false], units[true], sources[0].Units()) {
		return sources
	}
	return p.Spot(sources)
}

// Spot returns the sources for Spot Instances.
func (p Purchases) Spot(sources []Source) []Source {
	out := make([]Source, 0, len(sources))
	for _, s := range sources {
		s.Spot, s.MaxPrice = true, p.maxPrice
		out = append(out, s)
	}
	return out
}

// Variants returns what a group may launch of its sources: On-Demand Instances, Spot Instances or
// both.
func (p Purchases) Variants(sources []Source) []Source {
	switch {
	case !p.mixed:
		return sources
	case cmp.Or(p.base, p.percents) == 0:
		return p.Spot(sources)
	}
	return append(p.Spot(sources), sources...)
}

// RequestsSpot reports whether a launch template itself requests Spot Instances.
func RequestsSpot(r store.Reader, g *store.ScalingGroup, ref store.TemplateRef) bool {
	return isSet(templateData(r, g.Region, ref).InstanceMarketOptions)
}
