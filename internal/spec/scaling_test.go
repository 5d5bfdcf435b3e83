package spec_test

import (
	"reflect"
	"testing"

	"aloft.dev/aloft/internal/spec"
)

func TestEmptyScalingIsASafeGroup(t *testing.T) {
	s, err := spec.Load(folder(t, map[string]string{"aloft.yaml": "start: node x.js\nscaling: {}\n"}))
	if err != nil {
		t.Fatal(err)
	}
	if want := (&spec.Scaling{Min: 3, Max: 6, Target: spec.Target{CPU: 60}}); !reflect.DeepEqual(s.Scaling, want) {
		t.Errorf("got %+v, want %+v", s.Scaling, want)
	}
	s, err = spec.Load(folder(t, map[string]string{"aloft.yaml": "start: node x.js\n"}))
	if err != nil || s.Scaling != nil || s.Machines.Count != 3 {
		t.Errorf("without scaling: %+v, %v", s.Scaling, err)
	}
}

func TestScalingKeysAreRead(t *testing.T) {
	s, err := spec.Load(folder(t, map[string]string{"aloft.yaml": `start: node x.js
scaling:
  min: 4
  max: 12
  target: {requests_per_target: 1000}
  survive: zone
  schedule:
    - {cron: "0 8 * * MON-FRI", timezone: Europe/Berlin, min: 6}
    - {cron: "*/30 0-6,22 1 jan *", desired: 8}
`}))
	if err != nil {
		t.Fatal(err)
	}
	want := &spec.Scaling{
		Min:     4,
		Max:     12,
		Target:  spec.Target{RequestsPerTarget: 1000},
		Survive: spec.SurviveZone,
		Schedule: []spec.Schedule{
			{
				Cron:     "0 8 * * MON-FRI",
				Timezone: "Europe/Berlin",
				Min:      6,
			},
			{Cron: "*/30 0-6,22 1 jan *", Timezone: "Etc/UTC", Desired: 8},
		},
	}
	if !reflect.DeepEqual(s.Scaling, want) {
		t.Errorf("got %+v, want %+v", s.Scaling, want)
	}
}

// The group that is left when a zone of a balanced group is lost carries the load;
// with one server less it would not.
func TestSurviveZoneAddsTheFewestServers(t *testing.T) {
	for zones := 2; zones <= 6; zones++ {
		for load := 1; load <= 30; load++ {
			n := (&spec.Scaling{Min: load, Survive: spec.SurviveZone}).Least(zones)
			left := func(n int) int { return n - (n+zones-1)/zones }
			if left(n) < load || left(n-1) >= load {
				t.Errorf("got %d servers in %d zones for a load of %d", n, zones, load)
			}
		}
	}
	if n := (&spec.Scaling{Min: 4}).Least(3); n != 4 {
		t.Errorf("got %d servers without survive, want 4", n)
	}
}

func TestMistakeInScalingIsReportedWithPlaceAndRemedy(t *testing.T) {
	for _, test := range []mistake{
		{"nothing", "scaling:\n", "aloft.yaml:2:", "scaling: expected a mapping", ""},
		{
			"unknown key", "scaling: {mim: 3}\n",
			"aloft.yaml:2:11", `unknown key "mim" under scaling`, `did you mean "min"?`,
		},
		{
			"count too", "machines: {count: 3}\nscaling: {min: 3}\n",
			"aloft.yaml:2:19", "both given", "remove machines.count",
		},
		{
			"min above max", "scaling: {min: 5, max: 4}\n",
			"aloft.yaml:2:24", "the maximum, 4, is less than the minimum, 5", "raise max to 5",
		},
		{
			"zone above max", "scaling: {min: 4, max: 5, survive: zone}\n",
			"aloft.yaml:2:24", "without one of 3 zones takes 6, and the maximum is 5", "raise max to 6",
		},
		{"zero", "scaling: {min: 0, max: 3}\n", "aloft.yaml:2:16", "expected 1 to 30, got 0", ""},
		{
			"survive", "scaling: {survive: region}\n",
			"aloft.yaml:2:20", `"region" is not what a group can be sized to survive`, "survive: zone",
		},
		{
			"two targets", "scaling: {target: {cpu: 60, requests_per_target: 100}}\n",
			"aloft.yaml:2:", "both given", "keep the one",
		},
		{"cpu", "scaling: {target: {cpu: 100}}\n", "aloft.yaml:2:25", "expected 10 to 90 per cent, got 100", ""},
		{
			"cpu and survive", "scaling: {survive: zone, target: {cpu: 70}}\n",
			"aloft.yaml:2:40", "could not take over", "lower it to 66",
		},
		{"requests", "scaling: {target: {requests_per_target: 0}}\n", "aloft.yaml:2:41", "got 0", ""},
		{"no time", "scaling: {schedule: [{min: 4}]}\n", "aloft.yaml:2:22", "a schedule needs a time", "0 8 * * 1-5"},
		{
			"no size", "scaling: {schedule: [{cron: 0 8 * * *}]}\n",
			"aloft.yaml:2:22", "a schedule sets no size", "add min",
		},
		{
			"cron", "scaling: {schedule: [{cron: 0 8 * *, min: 4}]}\n",
			"aloft.yaml:2:29", "4 fields instead of 5", "working days",
		},
		{
			"cron hour", "scaling: {schedule: [{cron: 0 24 * * *, min: 4}]}\n",
			"aloft.yaml:2:29", `"24" is no hour`, "",
		},
		{
			"cron range", "scaling: {schedule: [{cron: 0 8 * * FRI-MON, min: 4}]}\n",
			"aloft.yaml:2:29", `"FRI-MON" is no day of the week`, "",
		},
		{
			"zone of time", "scaling: {schedule: [{cron: 0 8 * * *, timezone: Berlin, min: 4}]}\n",
			"aloft.yaml:2:50", `"Berlin" is not a time zone`, "Europe/Berlin",
		},
		{
			"schedule above max", "scaling: {min: 3, max: 6, schedule: [{cron: 0 8 * * *, min: 7}]}\n",
			"aloft.yaml:2:38", "the maximum, 6, would be less than the minimum, 7", "",
		},
		{
			"schedule desired", "scaling: {min: 3, max: 6, schedule: [{cron: 0 8 * * *, desired: 9}]}\n",
			"aloft.yaml:2:65", "expected 3 to 6, got 9", "",
		},
	} {
		test.yaml = "start: node x.js\n" + test.yaml
		t.Run(test.name, test.check)
	}
}
