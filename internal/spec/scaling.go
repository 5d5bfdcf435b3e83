package spec

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // names of time zones are the same on every host
)

// Scaling turns the fixed servers into a group that grows and shrinks by itself
// (Amazon EC2 Auto Scaling User Guide, "Auto Scaling groups").
type Scaling struct {
	Min      int        `yaml:"min" doc:"machines that carry the load at the least; by default one for each subnet"`
	Max      int        `yaml:"max" doc:"the most machines, at most 30; by default twice as many as at the least"`
	Target   Target     `yaml:"target" doc:"what the number of machines follows; 'cpu: 60' by default, '{}' for nothing"`
	Schedule []Schedule `yaml:"schedule" doc:"sizes at times of the day, the week or the year"`
	Survive  string     `yaml:"survive" doc:"'zone': as many machines more as carry the load when a zone is lost"`
}

// Target is what target tracking keeps a measure of the machines at. One of the
// two is set, or none.
type Target struct {
	CPU               int `yaml:"cpu" doc:"per cent of the machines' processors, on average; 10 to 90"`
	RequestsPerTarget int `yaml:"requests_per_target" doc:"requests a minute for each machine"`
}

// Schedule sets sizes at a time. A size that is 0 stays as it is.
type Schedule struct {
	Cron     string `yaml:"cron" doc:"minute, hour, day of the month, month, day of the week: '0 8 * * 1-5'"`
	Timezone string `yaml:"timezone" doc:"of the cron expression, as in 'Europe/Berlin'; 'Etc/UTC' by default"`
	Min      int    `yaml:"min"`
	Max      int    `yaml:"max"`
	Desired  int    `yaml:"desired"`
}

// SurviveZone is the value of Survive that sizes for the loss of a zone.
const SurviveZone = "zone"

// maxMachines is the most machines that a spec can ask for.
const maxMachines = 30

// Least is how many machines there are at the least, in so many zones: Min, and
// with Survive as many more as leave Min when the fullest zone is lost.
func (s *Scaling) Least(zones int) int { return s.surviving(s.Min, zones) }

func (s *Scaling) surviving(load, zones int) int {
	if s.Survive != SurviveZone || zones < 2 {
		return load
	}
	// Of n machines, balanced over z zones, n - ceil(n/z) are left.
	return (load*zones + zones - 2) / (zones - 1)
}

// Least is how many machines there are at the least from then on, 0 when that
// stays as it is.
func (at Schedule) Least(s *Scaling, zones int) int {
	if at.Min == 0 {
		return 0
	}
	return s.surviving(at.Min, zones)
}

// completeScaling fills in sizes from the number of zones, and what the group
// follows.
func (s *Spec) completeScaling(d *decoder) {
	if s.Scaling == nil {
		return
	}
	zones := len(s.Network.Subnets)
	orDefault(d, "scaling.min", &s.Scaling.Min, max(zones, 1))
	orDefault(d, "scaling.max", &s.Scaling.Max, min(2*s.Scaling.Least(zones), maxMachines))
	orDefault(d, "scaling.target", &s.Scaling.Target, Target{CPU: 60})
	for i := range s.Scaling.Schedule {
		orDefault(d, fmt.Sprintf("scaling.schedule[%d].timezone", i), &s.Scaling.Schedule[i].Timezone, "Etc/UTC")
	}
}

func (s *Spec) validateScaling(d *decoder) {
	c := s.Scaling
	if c == nil {
		return
	}
	_, counted := d.places["machines.count"]
	d.require(
		!counted,
		"machines.count",
		"remove machines.count; scaling.min is how many there are at the least, and aloft scale N changes the number at once",
		"a number of servers and a group that scales are both given",
	)
	zones := len(s.Network.Subnets)
	least := c.Least(zones)
	d.require(
		c.Min >= 1 && c.Min <= maxMachines,
		"scaling.min",
		"one for each zone survives the loss of any machine",
		"expected 1 to %d, got %d",
		maxMachines,
		c.Min,
	)
	d.require(c.Max >= 1 && c.Max <= maxMachines, "scaling.max", "", "expected 1 to %d, got %d", maxMachines, c.Max)
	d.require(
		c.Survive == "" || c.Survive == SurviveZone,
		"scaling.survive",
		"write survive: zone, or leave it out",
		"%q is not what a group can be sized to survive",
		c.Survive,
	)
	switch {
	case c.Min > c.Max && c.Max >= 1:
		d.require(
			false,
			"scaling.max",
			fmt.Sprintf("raise max to %d or more, or lower min", least),
			"the most, %d, is below the least, %d",
			c.Max,
			c.Min,
		)
	case c.Min >= 1 && c.Max >= 1 && least > c.Max:
		d.require(
			false,
			"scaling.max",
			fmt.Sprintf("raise max to %d or more, or leave survive out", least),
			"to carry the load of %d machines without one of %d zones takes %d, and the most is %d",
			c.Min,
			zones,
			least,
			c.Max,
		)
	}
	s.validateTarget(d, zones)
	for i := range c.Schedule {
		s.validateSchedule(d, fmt.Sprintf("scaling.schedule[%d]", i), c.Schedule[i], zones)
	}
}

func (s *Spec) validateTarget(d *decoder, zones int) {
	t := s.Scaling.Target
	_, cpu := d.places["scaling.target.cpu"]
	_, requests := d.places["scaling.target.requests_per_target"]
	d.require(
		!cpu || !requests,
		"scaling.target",
		"keep the one that fills up first",
		"cpu and requests_per_target are both given",
	)
	if requests {
		d.require(
			t.RequestsPerTarget >= 1 && t.RequestsPerTarget <= 10_000_000,
			"scaling.target.requests_per_target",
			"how many requests one machine answers in a minute without hurry",
			"expected 1 to 10000000, got %d",
			t.RequestsPerTarget,
		)
	}
	if !cpu {
		return
	}
	ok := t.CPU >= 10 && t.CPU <= 90
	d.require(
		ok,
		"scaling.target.cpu",
		"60 leaves room for the minutes that new machines take",
		"expected 10 to 90 per cent, got %d",
		t.CPU,
	)
	if most := 100 * (zones - 1) / max(zones, 1); ok && s.Scaling.Survive == SurviveZone && zones > 1 {
		d.require(
			t.CPU <= most,
			"scaling.target.cpu",
			fmt.Sprintf("lower it to %d or less, or leave survive out", most),
			"at %d %% the machines of %d zones could not take over what %d carry",
			t.CPU,
			zones-1,
			zones,
		)
	}
}

func (s *Spec) validateSchedule(d *decoder, path string, at Schedule, zones int) {
	if _, written := d.places[path+".cron"]; !written {
		d.require(false, path+".cron", `for example: cron: "0 8 * * 1-5"`, "a schedule needs a time")
	} else if problem := cronProblem(at.Cron); problem != "" {
		d.require(false, path+".cron", `minute, hour, day of the month, month, day of the week: "0 8 * * 1-5" is eight o'clock on working days`, "%q: %s", at.Cron, problem)
	}
	_, err := time.LoadLocation(at.Timezone)
	d.require(
		err == nil && at.Timezone != "" && at.Timezone != "Local",
		path+".timezone",
		"a name like Europe/Berlin or America/New_York",
		"%q is not a time zone",
		at.Timezone,
	)
	s.validateSizes(d, path, at, zones)
}

// validateSizes checks a schedule's sizes, with those that it leaves as they are.
func (s *Spec) validateSizes(d *decoder, path string, at Schedule, zones int) {
	given, sound := 0, true
	for key, value := range map[string]int{"min": at.Min, "max": at.Max, "desired": at.Desired} {
		if _, written := d.places[path+"."+key]; written {
			given++
			ok := value >= 1 && value <= maxMachines
			sound = sound && ok
			d.require(ok, path+"."+key, "", "expected 1 to %d, got %d", maxMachines, value)
		}
	}
	d.require(given > 0, path, "add min, max or desired", "a schedule sets no size")
	if !sound || given == 0 {
		return
	}
	least := cmp.Or(at.Least(s.Scaling, zones), s.Scaling.Least(zones))
	most := cmp.Or(at.Max, s.Scaling.Max)
	d.require(
		least <= most,
		path,
		"what a schedule leaves out stays as scaling.min and scaling.max say",
		"the most, %d, would be below the least, %d",
		most,
		least,
	)
	d.require(
		at.Desired == 0 || least > most || at.Desired >= least && at.Desired <= most,
		path+".desired",
		"",
		"expected %d to %d, got %d",
		least,
		most,
		at.Desired,
	)
}

// cronFields are the parts of a cron expression as Auto Scaling reads it (Amazon
// EC2 Auto Scaling User Guide, "Scheduled scaling: recurring schedules").
var cronFields = []struct {
	name     string
	from, to int
	names    []string // of the values from the first on
}{
	{"minute", 0, 59, nil}, {"hour", 0, 23, nil}, {"day of the month", 1, 31, nil},
	{"month", 1, 12, []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}},
	{"day of the week", 0, 7, []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}},
}

// cronProblem tells what is wrong with a cron expression, "" when nothing is.
func cronProblem(expression string) string {
	fields := strings.Fields(expression)
	if len(fields) != len(cronFields) {
		return fmt.Sprintf("it has %d parts instead of %d", len(fields), len(cronFields))
	}
	for i, field := range fields {
		for item := range strings.SplitSeq(field, ",") {
			if !cronItem(item, cronFields[i].from, cronFields[i].to, cronFields[i].names) {
				return fmt.Sprintf("%q is no %s", item, cronFields[i].name)
			}
		}
	}
	return ""
}

// cronItem tells whether an item is *, a value or a range, with a step or not.
func cronItem(item string, from, to int, names []string) bool {
	span, step, stepped := strings.Cut(item, "/")
	if n, ok := number(step); stepped && (!ok || n < 1 || n > to) {
		return false
	}
	if span == "*" {
		return true
	}
	first, last, ranged := strings.Cut(span, "-")
	a, ok := cronValue(first, from, to, names)
	if !ok || !ranged {
		return ok
	}
	b, ok := cronValue(last, from, to, names)
	return ok && a <= b
}

func cronValue(text string, from, to int, names []string) (int, bool) {
	for i, name := range names {
		if strings.EqualFold(text, name) {
			return from + i, true
		}
	}
	n, ok := number(text)
	return n, ok && n >= from && n <= to
}

// number reads a short row of digits.
func number(text string) (int, bool) {
	n := 0
	for _, r := range text {
		if r < '0' || r > '9' {
			return 0, false
		}
		n = 10*n + int(r-'0')
	}
	return n, text != "" && len(text) <= 4
}
