package apply

import (
	"strings"
	"testing"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
)

func TestForecast(t *testing.T) {
	value := func(v float64) *float64 { return &v }
	high := ScalingAlarm{State: "OK", High: true, Threshold: 60, Needed: 3}
	low := ScalingAlarm{State: "OK", Threshold: 54, Needed: 15}
	beyond := func(a ScalingAlarm, n int) ScalingAlarm { a.Beyond = n; return a }
	const requests = "requests a minute for each machine"
	for _, c := range []struct {
		metric  string
		value   *float64
		desired int
		alarms  []ScalingAlarm
		want    string
	}{
		{metricCPU, nil, 3, nil, "CPU: nothing measured yet, against 60 %; no change"},
		{metricCPU, value(57), 3, []ScalingAlarm{high, low}, "CPU 57 % against 60 %: no change"},
		{
			metricCPU, value(71.23), 3, []ScalingAlarm{beyond(high, 2), low},
			"CPU 71.2 % against 60 %: 2 of 3 minutes above 60; next: + 1 machine",
		},
		{
			metricCPU, value(100), 3, []ScalingAlarm{beyond(high, 3), low},
			"CPU 100 % against 60 %: 3 of 3 minutes above 60; next: + 2 machines",
		},
		{
			metricCPU, value(100), 6, []ScalingAlarm{beyond(high, 3), low},
			"CPU 100 % against 60 %: 3 of 3 minutes above 60; there are as many machines as may be",
		},
		{
			metricCPU, value(20), 6, []ScalingAlarm{high, beyond(low, 15)},
			"CPU 20 % against 60 %: 15 of 15 minutes below 54; next: - 3 machines",
		},
		{
			metricCPU, value(20), 3, []ScalingAlarm{high, beyond(low, 4)},
			"CPU 20 % against 60 %: 4 of 15 minutes below 54; there are as few machines as may be",
		},
		{metricRequests, value(50), 4, []ScalingAlarm{high, low}, requests + " 50 against 60: no change"},
	} {
		s := &Scaling{
			Min:     3,
			Max:     6,
			Desired: c.desired,
			Policy:  &ScalingPolicy{Metric: c.metric, Target: 60, Value: c.value, Alarms: c.alarms},
		}
		if got := s.forecast(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestScaleRejectsImpossibleNumbers(t *testing.T) {
	group := plan.Found{Address: stack.AddressScalingGroup, Kind: stack.KindScalingGroup, Name: "aloft-shop"}
	group.Set(stack.AttrMin, "3")
	group.Set(stack.AttrMax, "9")
	server := plan.Found{Address: "server-1", Kind: stack.KindServer}
	fixed, scaling := &spec.Spec{}, &spec.Spec{Scaling: &spec.Scaling{}}
	groups, servers := []plan.Found{group}, []plan.Found{server}
	for _, c := range []struct {
		name     string
		spec     *spec.Spec
		found    []plan.Found
		machines int
		what     string
		hint     string
	}{
		{"within", scaling, groups, 9, "", ""},
		{"too many", scaling, groups, 10, "the group has 3 to 9 machines", "change scaling.max"},
		{"too few", scaling, groups, 2, "the group has 3 to 9 machines", "change scaling.min"},
		{
			"fixed", fixed, servers, 6,
			"fixed number of servers, 1: the next aloft up would undo", "set machines.count: 6",
		},
		{"not yet", scaling, servers, 6, "does not exist yet", "aloft up creates it"},
		{"nothing", fixed, nil, 6, "shop is not deployed in us-east-1", "aloft up deploys it"},
	} {
		d := &Deployment{cfg: Config{App: "shop", Region: "us-east-1", Spec: c.spec}}
		_, err := d.scalableGroup(c.found, c.machines)
		problems := diag.From(err)
		if c.what == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if len(problems) != 1 || !strings.Contains(problems[0].Summary, c.what) ||
			!strings.Contains(problems[0].Hint, c.hint) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
