package spec

import (
	"cmp"
	"fmt"
	"time"
	_ "time/tzdata" // the names of time zones do not depend on the host
)

func (s *Spec) validateScaling(d *decoder) {
	c := s.Scaling
	if c == nil {
		return
	}
	d.require(!d.written("machines.count"), "machines.count",
		"remove machines.count: scaling.min is the smallest number of servers; aloft scale N sets it at once",
		"a number of servers and an Auto Scaling group are both given")
	d.require(c.Min >= 1 && c.Min <= maxMachines, "scaling.min",
		"one server per zone survives the loss of any server", "expected 1 to %d, got %d", maxMachines, c.Min)
	d.require(c.Max >= 1 && c.Max <= maxMachines, "scaling.max",
		"twice scaling.min is the default", "expected 1 to %d, got %d", maxMachines, c.Max)
	d.require(c.Survive == "" || c.Survive == SurviveZone, "scaling.survive",
		"write survive: zone, or leave it out", "%q is not what a group can be sized to survive", c.Survive)
	zones := len(s.Network.Subnets)
	least := c.Least(zones)
	switch {
	case c.Min > c.Max && c.Max >= 1:
		d.require(false, "scaling.max", fmt.Sprintf("raise max to %d or more, or lower min", least),
			"the maximum, %d, is less than the minimum, %d", c.Max, c.Min)
	case c.Min >= 1 && c.Max >= 1 && least > c.Max:
		d.require(false, "scaling.max", fmt.Sprintf("raise max to %d or more, or leave survive out", least),
			"to carry the load of %d servers without one of %d zones takes %d, and the maximum is %d",
			c.Min, zones, least, c.Max)
	}
	s.validateTarget(d, zones)
	for i := range c.Schedule {
		s.validateSchedule(d, fmt.Sprintf("scaling.schedule[%d]", i), c.Schedule[i], zones)
	}
}

func (s *Spec) validateTarget(d *decoder, zones int) {
	t := s.Scaling.Target
	cpu, requests := d.written("scaling.target.cpu"), d.written("scaling.target.requests_per_target")
	d.require(!cpu || !requests, "scaling.target",
		"keep the one that reaches its limit first", "cpu and requests_per_target are both given")
	if requests {
		d.require(t.RequestsPerTarget >= 1 && t.RequestsPerTarget <= 10_000_000, "scaling.target.requests_per_target",
			"give the number of requests that one server answers in a minute with ease",
			"expected 1 to 10000000, got %d", t.RequestsPerTarget)
	}
	if !cpu {
		return
	}
	ok := t.CPU >= 10 && t.CPU <= 90
	d.require(ok, "scaling.target.cpu",
		"60 leaves room for the minutes that new servers need to start", "expected 10 to 90 per cent, got %d", t.CPU)
	if most := 100 * (zones - 1) / max(zones, 1); ok && s.Scaling.Survive == SurviveZone && zones > 1 {
		d.require(t.CPU <= most, "scaling.target.cpu",
			fmt.Sprintf("lower it to %d or less, or leave survive out", most),
			"at %d %% the servers of %d zones could not take over the load of %d zones", t.CPU, zones-1, zones)
	}
}

func (s *Spec) validateSchedule(d *decoder, path string, at Schedule, zones int) {
	if !d.written(path + ".cron") {
		d.require(false, path+".cron", `for example: cron: "0 8 * * 1-5"`, "a schedule needs a time")
	} else if problem := cronProblem(at.Cron); problem != "" {
		d.require(false, path+".cron", `write minute, hour, day of the month, month, day of the week: `+
			`"0 8 * * 1-5" is eight o'clock on working days`, "%q: %s", at.Cron, problem)
	}
	_, err := time.LoadLocation(at.Timezone)
	d.require(err == nil && at.Timezone != "" && at.Timezone != "Local", path+".timezone",
		"use a name such as Europe/Berlin or America/New_York", "%q is not a time zone", at.Timezone)
	s.validateSizes(d, path, at, zones)
}

// validateSizes checks a schedule's sizes together with those that it leaves
// unchanged.
func (s *Spec) validateSizes(d *decoder, path string, at Schedule, zones int) {
	given, sound := 0, true
	for key, value := range map[string]int{"min": at.Min, "max": at.Max, "desired": at.Desired} {
		if d.written(path + "." + key) {
			given++
			ok := value >= 1 && value <= maxMachines
			sound = sound && ok
			d.require(ok, path+"."+key, "leave out a size that stays as it is",
				"expected 1 to %d, got %d", maxMachines, value)
		}
	}
	d.require(given > 0, path, "add min, max or desired", "a schedule sets no size")
	if !sound || given == 0 {
		return
	}
	least := cmp.Or(at.Least(s.Scaling, zones), s.Scaling.Least(zones))
	most := cmp.Or(at.Max, s.Scaling.Max)
	d.require(least <= most, path, "sizes that a schedule leaves out stay as scaling.min and scaling.max say",
		"the maximum, %d, would be less than the minimum, %d", most, least)
	d.require(at.Desired == 0 || least > most || at.Desired >= least && at.Desired <= most, path+".desired",
		"choose a size between the minimum and the maximum", "expected %d to %d, got %d", least, most, at.Desired)
}
