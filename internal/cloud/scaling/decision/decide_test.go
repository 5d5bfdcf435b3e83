package decision_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/scaling/decision"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// member returns an instance in service, with an age in minutes, changed by change.
func member(id, zone string, age int, version string, change func(*decision.Member)) decision.Member {
	m := decision.Member{
		Machine: store.Running, Reachable: true,
		ScalingInstance: &store.ScalingInstance{
			InstanceID: id, Region: "r", Group: "g", Zone: zone, SubnetID: "subnet-" + zone, TemplateID: "lt-1",
			TemplateVersion: version, Health: scalinggroup.Healthy,
			State: store.LifecycleInService, Launched: now.Add(-time.Duration(age) * time.Minute),
			InServiceSince: now.Add(-time.Duration(age) * time.Minute),
		},
	}
	if change != nil {
		change(&m)
	}
	return m
}

func situation(desired int32, change func(*store.ScalingGroup), members ...decision.Member) decision.Situation {
	s := decision.Situation{
		Group: &store.ScalingGroup{
			Region:     "r",
			Name:       "g",
			Min:        0,
			Max:        10,
			Desired:    desired,
			Template:   store.TemplateRef{ID: "lt-1"},
			MinHealthy: -1,
			MaxHealthy: -1,
			TerminationPolicies: []string{
				"Default",
			},
			Distribution: "balanced-best-effort",
			Zones:        []string{"a", "b", "c"},
		},
		Members: members, Now: now,
		Subnets: []decision.Subnet{
			{ID: "subnet-a", Zone: "a"}, {ID: "subnet-b", Zone: "b"}, {ID: "subnet-c", Zone: "c"},
		},
	}
	if change != nil {
		change(s.Group)
	}
	return s
}

// told returns the steps in short: "plan a launch a", "begin termination i-1".
func told(p decision.Plan) string {
	var out []string
	for _, s := range p.Steps {
		out = append(out, strings.TrimSpace(fmt.Sprint(s.Action, " ", s.InstanceID, s.Zone)))
	}
	return strings.Join(out, ", ")
}

func TestSelectForTermination(t *testing.T) {
	policy := func(names ...string) func(*store.ScalingGroup) {
		return func(g *store.ScalingGroup) { g.TerminationPolicies = names }
	}
	protected := func(m *decision.Member) { m.Protected = true }
	young := func(m *decision.Member) { m.State, m.Machine = store.LifecyclePending, store.Pending }
	for _, c := range []struct {
		name    string
		group   func(*store.ScalingGroup)
		members []decision.Member
		want    string
	}{
		{
			"the zone with most", nil,
			[]decision.Member{
				member("1", "a", 500, "1", nil), member("2", "b", 9, "2", nil), member("3", "b", 5, "2", nil),
			},
			"2",
		},
		{
			"a zone that the group has left", nil,
			[]decision.Member{
				member("1", "a", 9, "1", nil), member("2", "a", 9, "1", nil), member("3", "x", 5, "2", nil),
			},
			"3",
		},
		{
			"the oldest version", nil,
			[]decision.Member{
				member("1", "a", 5, "2", nil), member("2", "b", 9, "10", nil), member("3", "c", 1, "1", nil),
			},
			"3",
		},
		{
			"another template", nil,
			[]decision.Member{
				member("1", "a", 9, "1", nil),
				member("2", "b", 5, "7", func(m *decision.Member) { m.TemplateID = "lt-0" }),
			},
			"2",
		},
		{
			"the next hour", nil,
			[]decision.Member{
				member("1", "a", 61, "1", nil), member("2", "b", 119, "1", nil), member("3", "c", 300, "1", nil),
			},
			"2",
		},
		{
			"not one that serves", nil,
			[]decision.Member{member("1", "a", 59, "1", nil), member("2", "b", 1, "1", young)}, "2",
		},
		{
			"not one that is protected", nil,
			[]decision.Member{
				member("1", "a", 9, "1", protected), member("2", "a", 9, "2", protected), member("3", "b", 5, "3", nil),
			},
			"3",
		},
		{
			"the oldest", policy("OldestInstance"),
			[]decision.Member{
				member("1", "a", 61, "1", nil), member("2", "b", 119, "1", nil), member("3", "c", 300, "2", nil),
			},
			"3",
		},
		{
			"the newest", policy("NewestInstance"),
			[]decision.Member{
				member("1", "a", 61, "1", nil), member("2", "b", 119, "1", nil), member("3", "c", 300, "2", nil),
			},
			"1",
		},
		{
			"the oldest version, then the newest", policy("OldestLaunchTemplate", "NewestInstance"),
			[]decision.Member{
				member("1", "a", 61, "1", nil), member("2", "b", 119, "1", nil), member("3", "c", 1, "2", nil),
			},
			"1",
		},
		{
			"what has nothing to say is passed over",
			policy("AllocationStrategy", "OldestLaunchConfiguration", "ClosestToNextInstanceHour"),
			[]decision.Member{member("1", "a", 5, "1", nil), member("2", "b", 55, "1", nil)}, "2",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := situation(int32(len(c.members)-1), c.group, c.members...)
			if got, want := told(decision.Decide(s)), "begin termination "+c.want; got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

func TestInstancesOfLessPreferredTypesAreTerminatedFirst(t *testing.T) {
	typed := func(name string) func(*decision.Member) {
		return func(m *decision.Member) { m.Type = name }
	}
	for _, policy := range []string{"Default", "AllocationStrategy"} {
		s := situation(
			2, func(g *store.ScalingGroup) { g.TerminationPolicies = []string{policy} },
			member("i-1", "a", 30, "1", typed("t3.micro")),
			member("i-2", "a", 10, "1", typed("t3.small")),
			member("i-3", "a", 20, "1", typed("t3a.micro")),
		)
		s.Types = []string{"t3.micro", "t3a.micro", "t3.small"}
		if got := told(decision.Decide(s)); got != "begin termination i-2" {
			t.Errorf("%s: %s", policy, got)
		}
		s.Types = []string{"t3.micro", "t3.small"} // i-3 is of a type that is not listed any more
		if got := told(decision.Decide(s)); got != "begin termination i-3" {
			t.Errorf("%s: %s", policy, got)
		}
	}
}

func TestTheKindOfWhichThereAreTooManyIsTerminated(t *testing.T) {
	spot := func(m *decision.Member) { m.Spot = true }
	protected := func(m *decision.Member) { m.Spot, m.Protected = true, true }
	for _, c := range []struct {
		name, distribution, want string
		members                  []decision.Member
	}{
		{"half of two", `"OnDemandPercentageAboveBaseCapacity":50`, "begin termination i-1", []decision.Member{
			member("i-1", "a", 30, "1", nil), member("i-2", "a", 20, "1", nil), member("i-3", "b", 10, "1", spot),
		}},
		{"half of two, with two Spot Instances", `"OnDemandPercentageAboveBaseCapacity":50`, "begin termination i-2",
			[]decision.Member{
				member("i-1", "a", 30, "1", nil), member("i-2", "b", 20, "1", spot), member("i-3", "c", 10, "1", spot),
			}},
		{"no base", `"OnDemandPercentageAboveBaseCapacity":0`, "begin termination i-3", []decision.Member{
			member("i-1", "a", 30, "1", spot), member("i-2", "a", 20, "1", spot), member("i-3", "b", 10, "1", nil),
		}},
		{"a base", `"OnDemandBaseCapacity":1,"OnDemandPercentageAboveBaseCapacity":0`, "begin termination i-1",
			[]decision.Member{
				member("i-1", "a", 30, "1", spot), member("i-2", "a", 20, "1", spot), member("i-3", "b", 10, "1", nil),
			}},
		{"protected", `"OnDemandBaseCapacity":1,"OnDemandPercentageAboveBaseCapacity":0`, "begin termination i-3",
			[]decision.Member{
				member("i-1", "a", 30, "1", protected), member("i-2", "a", 20, "1", protected),
				member("i-3", "b", 10, "1", nil),
			}},
	} {
		s := situation(2, func(g *store.ScalingGroup) {
			g.Mixed = `{"InstancesDistribution":{` + c.distribution + `}}`
		}, c.members...)
		s.Purchases = scalinggroup.PurchasesOf(s.Group)
		if got := told(decision.Decide(s)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestLaunchPlacement(t *testing.T) {
	in := func(id, zone string) decision.Member { return member(id, zone, 9, "1", nil) }
	trouble := func(zone string, until time.Duration) func(*store.ScalingGroup) {
		return func(g *store.ScalingGroup) {
			g.LaunchFailures = []store.ZoneLaunchFailures{{Zone: zone, Failures: 1, Until: now.Add(until)}}
		}
	}
	only := func(next func(*store.ScalingGroup)) func(*store.ScalingGroup) {
		return func(g *store.ScalingGroup) { next(g); g.Distribution = "balanced-only" }
	}
	plan := func(zones ...string) string {
		for n, z := range zones {
			zones[n] = "plan a launch " + z
		}
		return strings.Join(zones, ", ")
	}
	for _, c := range []struct {
		name    string
		group   func(*store.ScalingGroup)
		members []decision.Member
		desired int32
		want    string
	}{
		{"one per zone", nil, nil, 4, plan("a", "b", "c", "a")},
		{
			"where there are fewest", nil, []decision.Member{in("1", "a"), in("2", "a"), in("3", "c")}, 6,
			plan("b", "b", "c"),
		},
		{
			"not where it has just failed", trouble("b", time.Minute), []decision.Member{in("1", "a")}, 4,
			plan("c", "a", "c"),
		},
		{
			"once where it failed a while ago", trouble("b", -time.Minute), []decision.Member{in("1", "a")}, 4,
			plan("b", "c", "a"),
		},
		{
			"nowhere else when it must be balanced", only(trouble("a", time.Minute)),
			[]decision.Member{in("1", "b"), in("2", "c")}, 4, "",
		},
		{
			"nowhere while launches are suspended",
			func(g *store.ScalingGroup) { g.Suspended = []store.SuspendedProcess{{Name: "Launch"}} }, nil, 4, "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := told(decision.Decide(situation(c.desired, c.group, c.members...))); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestWakeWhenTimeAloneChangesTheDecision(t *testing.T) {
	sick := func(m *decision.Member) {
		m.GraceUntil, m.Reachable = now.Add(time.Minute), false
	}
	waiting := func(m *decision.Member) {
		m.State, m.Waits = store.LifecyclePendingWait, []store.HookWait{
			{Hook: "h", Deadline: now.Add(2 * time.Minute)},
			{Hook: "i", Deadline: now.Add(3 * time.Minute)},
		}
	}
	for name, c := range map[string]struct {
		group  func(*store.ScalingGroup)
		member decision.Member
		want   time.Duration
	}{
		"nothing": {nil, member("1", "a", 9, "1", nil), 0},
		"grace":   {nil, member("1", "a", 9, "1", sick), time.Minute},
		"hooks":   {nil, member("1", "a", 9, "1", waiting), 2 * time.Minute},
		"lifetime": {
			func(g *store.ScalingGroup) { g.MaxInstanceLifetime = 600 }, member("1", "a", 9, "1", nil), time.Minute,
		},
	} {
		s := situation(1, c.group, c.member)
		want := time.Time{}
		if c.want > 0 {
			want = now.Add(c.want)
		}
		if got := decision.Decide(s); !got.Wake.Equal(want) {
			t.Errorf("%s: wakes at %v, want %v", name, got.Wake, want)
		}
	}
}

func TestDecideIsDeterministic(t *testing.T) {
	var members []decision.Member
	for n := range 60 {
		members = append(members, member(fmt.Sprintf("%02d", n), string(rune('a'+n%3)), n, fmt.Sprint(n%4), nil))
	}
	s := situation(20, nil, members...)
	first := told(decision.Decide(s))
	for range 10 {
		if again := told(decision.Decide(s)); again != first {
			t.Fatalf("%s, then %s", first, again)
		}
	}
	if n := len(slices.Collect(strings.SplitSeq(first, ", "))); n != 40 {
		t.Errorf("%d steps", n)
	}
}
