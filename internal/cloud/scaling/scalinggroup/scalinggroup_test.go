package scalinggroup_test

import (
	"fmt"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func rows(t *testing.T, change func(tx *store.Tx)) *store.View {
	t.Helper()
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(func(tx *store.Tx) error {
		store.ScalingGroups.Put(tx, &store.ScalingGroup{
			ARN: "arn", Region: "r", Name: "g", Desired: 3, DefaultWarmup: new(int32(60)),
		})
		store.ScalingInstances.Put(tx, &store.ScalingInstance{
			InstanceID: "i-1", Region: "r", Group: "g", Zone: "a", SubnetID: "s", State: store.LifecycleInService,
			InServiceSince: noon,
		})
		change(tx)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return s.View()
}

func TestChangeDesiredKeepsCausesInOrder(t *testing.T) {
	view := rows(t, func(tx *store.Tx) {
		for _, to := range []int32{5, 5, 2} {
			scalinggroup.ChangeDesired(tx, "r/g", to, "a monitor alarm A in state ALARM triggered policy P", noon)
		}
		if scalinggroup.ChangeDesired(tx, "r/none", 1, "", noon) {
			t.Error("a group that does not exist was changed")
		}
	})
	g, _ := store.ScalingGroups.Get(view, "r/g")
	want := "[At 2026-11-25T12:00:00Z a monitor alarm A in state ALARM triggered policy P changing the desired " +
		"capacity from 3 to 5." +
		" At 2026-11-25T12:00:00Z a monitor alarm A in state ALARM triggered policy P changing the desired capacity " +
		"from 5 to 2.]"
	if g.Desired != 2 || fmt.Sprint(g.CapacityCauses) != want {
		t.Errorf("%d, %v", g.Desired, g.CapacityCauses)
	}
}

func TestActivityDescriptionFollowsItsStatus(t *testing.T) {
	var id string
	var seen []string
	rows(t, func(tx *store.Tx) {
		observe := func() {
			a, _ := store.ScalingActivities.Get(tx, id)
			seen = append(seen, fmt.Sprintf("%s %d %s", a.Status, a.Progress, a.Description))
		}
		scalinggroup.TakeOutOfService(
			tx, identity.New(nil), "i-1", scalinggroup.ReasonELBHealthCheck, scalinggroup.ReasonUnhealthy, noon,
		)
		i, _ := store.ScalingInstances.Get(tx, "i-1")
		id = i.ActivityID
		observe()
		scalinggroup.UpdateActivity(tx, id, scalinggroup.Draining, 60)
		observe()
		scalinggroup.UpdateActivity(tx, id, scalinggroup.MidHook, 65)
		observe()
		scalinggroup.EndActivity(tx, identity.New(nil), id, scalinggroup.Failed, "Why.", noon)
		scalinggroup.EndActivity(tx, identity.New(nil), id, scalinggroup.Successful, "", noon) // the activity has ended
		observe()
		if scalinggroup.TakeOutOfService(tx, identity.New(nil), "i-1", scalinggroup.ReasonELBHealthCheck, "", noon) ||
			scalinggroup.MarkForReplacement(tx, "i-1", scalinggroup.ReasonInstanceRefresh, "") {
			t.Error("a leaving instance was taken out of service again")
		}
	})
	want := []string{
		"InProgress 50 Terminating EC2 instance: i-1",
		"WaitingForELBConnectionDraining 60 Terminating EC2 instance: i-1 - Waiting For ELB Connection Draining.",
		"MidLifecycleAction 65 Terminating EC2 instance: i-1",
		"Failed 100 Terminating EC2 instance: i-1.  Status Reason: Why.",
	}
	if fmt.Sprintf("%q", seen) != fmt.Sprintf("%q", want) {
		t.Errorf("%q", seen)
	}
}

func TestOldActivitiesAreDeletedUnlessInProgress(t *testing.T) {
	view := rows(t, func(tx *store.Tx) {
		for id, age := range map[string]time.Duration{"new": time.Hour, "old": scalinggroup.ActivityRetention + 1} {
			store.ScalingActivities.Put(
				tx,
				&store.ScalingActivity{ID: id, Region: "r", Group: "g", Started: noon.Add(-age), Ended: noon},
			)
			store.ScalingActivities.Put(
				tx,
				&store.ScalingActivity{ID: id + " and open", Region: "r", Group: "g", Started: noon.Add(-age)},
			)
		}
		scalinggroup.DeleteOldActivities(tx, noon)
	})
	if _, kept := store.ScalingActivities.Get(view, "old"); kept || len(store.ScalingActivities.List(view)) != 3 ||
		len(store.OpenScalingActivitiesByGroup.List(view, "r/g")) != 2 {
		t.Errorf("%v", store.ScalingActivities.List(view))
	}
}

func TestWarmedUp(t *testing.T) {
	view := rows(t, func(*store.Tx) {})
	g, _ := store.ScalingGroups.Get(view, "r/g")
	i, _ := store.ScalingInstances.Get(view, "i-1")
	warmup := scalinggroup.Warmup(g)
	if warmup != time.Minute || scalinggroup.WarmedUp(i, warmup, noon.Add(59*time.Second)) ||
		!scalinggroup.WarmedUp(i, warmup, noon.Add(time.Minute)) {
		t.Errorf("warm-up of %s", warmup)
	}
}

func TestTargetLifecycleState(t *testing.T) {
	for state, want := range map[string]string{
		store.LifecyclePending: "InService", store.LifecyclePendingWait: "InService",
		store.LifecyclePendingProceed: "InService", store.LifecycleInService: "InService",
		store.LifecycleTerminating: "Terminated", store.LifecycleTerminatingWait: "Terminated",
		store.LifecycleTerminatingProceed: "Terminated",
		store.LifecycleDetaching:          "Detached", store.LifecycleEnteringStandby: "Standby",
		store.LifecycleStandby: "Standby", store.LifecycleWarmedPending: "Warmed:Stopped",
		store.LifecycleWarmedPendingWait: "Warmed:Stopped", store.LifecycleWarmedStopped: "Warmed:Stopped",
		store.LifecycleWarmedTerminatingWait: "Warmed:Terminated",
	} {
		member := &store.ScalingInstance{State: state, PoolState: "Stopped"}
		if got := scalinggroup.TargetLifecycleState(member); got != want {
			t.Errorf("%s: %s, want %s", state, got, want)
		}
	}
}

func TestFirstSourceIsTheFirstOverride(t *testing.T) {
	ref := store.TemplateRef{ID: "lt-1", Name: "web", Version: "$Latest"}
	const (
		template = `{"LaunchTemplate":{"LaunchTemplateSpecification":` +
			`{"LaunchTemplateId":"lt-2","LaunchTemplateName":"n","Version":"3"},"Overrides":[]}}`
		overrides = `{"LaunchTemplate":{"LaunchTemplateSpecification":{"LaunchTemplateId":"lt-2"},"Overrides":[` +
			`{"InstanceType":"t3.small","LaunchTemplateSpecification":{"LaunchTemplateId":"lt-3"}},` +
			`{"InstanceType":"t3.large"}]}}`
	)
	for mixed, want := range map[string]scalinggroup.Source{
		"":        {Template: ref},
		template:  {Template: store.TemplateRef{ID: "lt-2", Name: "n", Version: "3"}},
		overrides: {Template: store.TemplateRef{ID: "lt-3"}, InstanceType: "t3.small"},
	} {
		got, err := scalinggroup.SourcesOf(
			rows(t, func(*store.Tx) {}), &store.ScalingGroup{Template: ref, Mixed: mixed},
		)
		if err != nil || got[0] != want {
			t.Errorf("%s: %+v, %v", mixed, got, err)
		}
	}
}

func TestTypesThatMeetRequirementsAreSources(t *testing.T) {
	const requirements = `"InstanceRequirements":{"VCpuCount":{"Min":2,"Max":2},"MemoryMiB":{"Min":8192,"Max":8192},` +
		`"AllowedInstanceTypes":["m5*","m6*"]}`
	view := rows(t, func(tx *store.Tx) {
		for id, image := range map[string]struct{ architecture, data string }{
			"1": {"x86_64", ""}, "2": {"arm64", ""}, "3": {"x86_64", requirements + ","},
		} {
			store.Images.Put(tx, &store.Image{ID: "ami-" + id, Region: "r", Architecture: image.architecture})
			store.LaunchTemplates.Put(tx, &store.LaunchTemplate{ID: "lt-" + id, Region: "r", Default: 1, Latest: 1})
			store.TemplateVersions.Put(tx, &store.LaunchTemplateVersion{
				TemplateID: "lt-" + id, Region: "r", Number: 1, Data: `{` + image.data + `"ImageId":"ami-` + id + `"}`,
			})
		}
	})
	for name, test := range map[string]struct{ template, override, first string }{
		"of the override":         {"lt-1", requirements, "m5.large"},
		"of an image for ARM":     {"lt-2", requirements, "m6g.large"},
		"of the template":         {"lt-3", "", "m5.large"},
		"of a type of the policy": {"lt-3", `"InstanceType":"t3.micro"`, "t3.micro"},
	} {
		got, err := scalinggroup.SourcesOf(view, &store.ScalingGroup{
			Region: "r", Mixed: `{"LaunchTemplate":{"LaunchTemplateSpecification":{"LaunchTemplateId":"` +
				test.template + `"},"Overrides":[{` + test.override + `}]}}`,
		})
		if err != nil || len(got) == 0 || got[0].InstanceType != test.first || got[0].Template.ID != test.template {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for unit, want := range map[string]int32{"": 0, "units": 0, "vcpu": 2, "memory-mib": 8192} {
		got, err := scalinggroup.SourcesOf(view, &store.ScalingGroup{
			Region: "r", DesiredType: unit,
			Mixed: `{"LaunchTemplate":{"LaunchTemplateSpecification":{"LaunchTemplateId":"lt-3"}}}`,
		})
		if err != nil || got[0].Weight != want {
			t.Errorf("capacity in %q: %+v, %v", unit, got, err)
		}
	}
	_, err := scalinggroup.SourcesOf(view, &store.ScalingGroup{
		Name: "g", Region: "r", Mixed: `{"LaunchTemplate":{"LaunchTemplateSpecification":{"LaunchTemplateId":"lt-1"},` +
			`"Overrides":[{"InstanceRequirements":{"VCpuCount":{"Min":9999},"MemoryMiB":{"Min":0}}}]}}`,
	})
	if err == nil || err.Error() != "no instance type meets the instance requirements of group g" {
		t.Errorf("no type: %v", err)
	}
}

func TestDeleteKeepsTheHistoryOfPolicyAlarms(t *testing.T) {
	view := rows(t, func(tx *store.Tx) {
		row := &store.Alarm{Region: "r", Name: "high", Period: 60, EvaluationPeriods: 3}
		alarm.Put(tx, row, noon)
		store.ScalingPolicies.Put(tx, &store.ScalingPolicy{ARN: "p", Region: "r", Group: "g", Alarms: []string{"high"}})
		scalinggroup.Delete(tx, "r/g", noon.Add(time.Hour))
	})
	if alarms, groups := store.Alarms.List(view), store.ScalingGroups.List(view); len(alarms)+len(groups) != 0 {
		t.Errorf("left: %v, %v", alarms, groups)
	}
	var summaries []string
	for _, item := range store.AlarmHistoriesByAlarm.List(view, "r/high") {
		summaries = append(summaries, item.Summary)
	}
	if len(summaries) != 2 {
		t.Errorf("the history has %q, want the creation and the deletion", summaries)
	}
}
