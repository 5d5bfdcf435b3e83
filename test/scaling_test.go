package e2e

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/spec"
)

const scalingSpec = "../internal/stack/testdata/scaling.yaml"

// instancesOf are the ids of the machines of a status.
func instancesOf(s *apply.Status) map[string]bool {
	all := map[string]bool{}
	for _, m := range s.Machines {
		all[m.InstanceID] = true
	}
	return all
}

// neverBelow watches the targets that get requests, and fails the test when there
// were less than so many healthy ones at any moment until its end is called.
func neverBelow(t *testing.T, c *cloud, least int) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	lowest := 1 << 30
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			view, serving := c.store.View(), 0
			for _, target := range store.Targets.List(view) {
				i, ok := store.Instances.Get(view, target.ID)
				if ok && i.State == store.Running && target.State == "healthy" && target.DeregisteredAt.IsZero() {
					serving++
				}
			}
			lowest = min(lowest, serving)
			if view.Changed(ctx, store.Targets, store.Instances) != nil {
				return
			}
		}
	})
	return func() {
		t.Helper()
		cancel()
		watching.Wait()
		if lowest < least {
			t.Errorf("at one moment only %d healthy targets were there, want %d", lowest, least)
		}
	}
}

func TestServersBecomeAGroupAndServersAgainWithNoMomentOfLess(t *testing.T) {
	t.Parallel()
	c, b, keys := newCloud(t), &installer{release: "r1"}, t.TempDir()
	client := c.client(t, nil)
	fixed, group := deployment(t, client, tutorial(t), b, keys), deployment(t, client, parse(t, scalingSpec), b, keys)
	before := up(t, fixed)
	end := neverBelow(t, c, 3)
	scaled := up(t, group)
	nothingToDo(t, group)
	if len(scaled.Machines) != 3 || scaled.URL != before.URL || scaled.Scaling == nil || scaled.Scaling.Desired != 3 {
		t.Errorf("status %+v", scaled)
	}
	for _, m := range scaled.Machines {
		if m.Health != "healthy" || m.Lifecycle != "InService" || instancesOf(before)[m.InstanceID] {
			t.Errorf("machine %+v", m)
		}
	}
	after := up(t, fixed)
	nothingToDo(t, fixed)
	end()
	if len(after.Machines) != 3 || after.Scaling != nil || after.Machines[0].Name != "server-1" || b.count() != 1 {
		t.Errorf("status %+v, installed %d times", after, b.count())
	}
	once(t, c)
	if n := len(store.LaunchTemplates.List(c.store.View())) + len(store.ScalingGroups.List(c.store.View())); n != 0 {
		t.Errorf("%d launch templates and groups are left", n)
	}
}

func TestAGroupThatTakesOverFromMoreServersBeginsWithAsMany(t *testing.T) {
	t.Parallel()
	c, b, keys, s := newCloud(t), &installer{release: "r1"}, t.TempDir(), tutorial(t)
	client := c.client(t, nil)
	s.Machines.Count = 5
	up(t, deployment(t, client, s, b, keys))
	end := neverBelow(t, c, 5)
	if status := up(t, deployment(t, client, parse(t, scalingSpec), b, keys)); status.Scaling.Desired != 5 ||
		len(status.Machines) != 5 {
		t.Errorf("status %+v", status)
	}
	end()
}

func TestAGroupIsScaledOutAndInAndAllOfItServesThen(t *testing.T) {
	t.Parallel()
	c, b := newCloud(t), &installer{release: "r1"}
	d := deployment(t, c.client(t, nil), parse(t, scalingSpec), b, t.TempDir())
	up(t, d)
	end := neverBelow(t, c, 3)
	for _, n := range []int{6, 3} {
		status, err := d.Scale(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		zones := map[string]int{}
		for _, m := range status.Machines {
			zones[m.Zone]++
			if m.Health != "healthy" || m.Lifecycle != "InService" {
				t.Errorf("machine %+v", m)
			}
		}
		if len(status.Machines) != n || len(zones) != 3 || zones["us-east-1a"] != n/3 || status.Scaling.Desired != n ||
			len(status.Scaling.Activities) < n {
			t.Errorf("%d machines, in %v, %+v", len(status.Machines), zones, status.Scaling)
		}
		nothingToDo(t, d)
	}
	end()
	for _, n := range []int{2, 7} {
		if _, err := d.Scale(t.Context(), n); err == nil ||
			!strings.Contains(err.Error(), "the group has 3 to 6 machines") {
			t.Errorf("scale %d: %v", n, err)
		}
	}
}

func TestAPolicyHeedsNoMinuteThatBeganWithoutTheNewMachines(t *testing.T) {
	t.Parallel()
	api := newCloud(t).client(t, nil)
	status := up(t, deployment(t, api, parse(t, scalingSpec), &installer{release: "r1"}, t.TempDir()))
	groups, err := api.ASG.DescribeAutoScalingGroups(
		t.Context(),
		&autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{status.Scaling.Group}},
	)
	if err != nil {
		t.Fatal(err)
	}
	policies, err := api.ASG.DescribePolicies(
		t.Context(),
		&autoscaling.DescribePoliciesInput{AutoScalingGroupName: &status.Scaling.Group},
	)
	if err != nil {
		t.Fatal(err)
	}
	if of, own := aws.ToInt32(policies.ScalingPolicies[0].EstimatedInstanceWarmup), aws.ToInt32(groups.AutoScalingGroups[0].DefaultInstanceWarmup); of < own+120 {
		t.Errorf("the policy heeds new machines after %d s, of which the group lets them warm up for %d s", of, own)
	}
}

func TestAMachineOfAGroupThatIsTerminatedIsReplacedByTheGroupAndUpWaitsForIt(t *testing.T) {
	t.Parallel()
	c, b := newCloud(t), &installer{release: "r1"}
	client := c.client(t, nil)
	d := deployment(t, client, parse(t, scalingSpec), b, t.TempDir())
	before := up(t, d)
	gone := before.Machines[1].InstanceID
	if _, err := client.EC2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{gone}}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool {
		i, ok := store.ScalingInstances.Get(c.store.View(), gone)
		return !ok || i.State != store.LifecycleInService
	})
	after := up(t, d)
	if all := instancesOf(after); len(all) != 3 || all[gone] {
		t.Errorf("before %+v, after %+v", before.Machines, after.Machines)
	}
	if b.count() != 1 {
		t.Errorf("installed %d times", b.count())
	}
	nothingToDo(t, d)
}

func TestAGroupGetsAReleaseMachineByMachineAndGoesBackToItsTemplatesVersion(t *testing.T) {
	t.Parallel()
	c, keys := newCloud(t), t.TempDir()
	client, first := c.client(t, nil), &installer{release: "r1"}
	before := up(t, deployment(t, client, parse(t, scalingSpec), first, keys))
	second := &installer{release: "r2"}
	d := deployment(t, client, parse(t, scalingSpec), second, keys)
	end := neverBelow(t, c, 3)
	after := up(t, d)
	nothingToDo(t, d)
	for id := range instancesOf(after) {
		if i, _ := store.Instances.Get(c.store.View(), id); instancesOf(before)[id] || i.Tags["aloft:release"] != "r2" {
			t.Errorf("%s serves %s", id, i.Tags["aloft:release"])
		}
	}
	if len(after.Machines) != 3 || second.count() != 1 || second.proofs != 1 {
		t.Errorf("%d machines, built %d times, proven %d times", len(after.Machines), second.count(), second.proofs)
	}
	back := deployment(t, client, parse(t, scalingSpec), first, keys)
	up(t, back)
	end()
	nothingToDo(t, back)
	if n := len(store.TemplateVersions.List(c.store.View())); n != 2 || first.count() != 1 {
		t.Errorf("%d versions, installed %d times", n, first.count())
	}
	for _, i := range store.Instances.List(c.store.View()) {
		if i.State == store.Running && i.Tags["aloft:release"] != "r1" {
			t.Errorf("%s serves %s", i.ID, i.Tags["aloft:release"])
		}
	}
}

func TestAReleaseWhoseMachinesAGroupGivesUpIsTakenBackWithWhatTheGroupDid(t *testing.T) {
	t.Parallel()
	s := &site{cloud: newCloud(t), keys: t.TempDir(), spec: parse(t, scalingSpec)}
	before := s.release(t, "r1")
	// The least grace period is a minute, for machines that are slower than these.
	if _, err := s.client(t, nil).ASG.UpdateAutoScalingGroup(t.Context(), &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: &before.Scaling.Group, HealthCheckGracePeriod: aws.Int32(1)}); err != nil {
		t.Fatal(err)
	}
	end := neverBelow(t, s.cloud, 3)
	bad := "r2"
	s.sick.Store(&bad)
	_, err := s.of(t, &installer{release: bad}).Up(t.Context())
	why := failure(t, err)
	contains(t, why, "release r2", "release r1 was brought back, and serves")
	if strings.Contains(
		why,
		"does not stay well",
	) { // who sees it first tells it: those who watch the release, or the group's refresh
		contains(t, why, "server-")
	} else {
		contains(t, why, "2 machines of the new version were not healthy within their time", "an instance was taken out of service in response to an ELB system health check failure")
	}
	end()
	s.serves(t, "r1")
	if got := s.results(t); got != "r1 released, r2 failed" {
		t.Error(got)
	}
}

func TestSettingsOfAGroupChangeInPlaceAndItsSchedulesWithThem(t *testing.T) {
	t.Parallel()
	c, b, keys, s := newCloud(t), &installer{release: "r1"}, t.TempDir(), parse(t, scalingSpec)
	client := c.client(t, nil)
	before := up(t, deployment(t, client, s, b, keys))
	s.Scaling.Min, s.Scaling.Max, s.Scaling.Target = 4, 8, spec.Target{RequestsPerTarget: 500}
	s.Scaling.Schedule = []spec.Schedule{
		{Cron: "0 8 * * 1-5", Timezone: "Europe/Berlin", Min: 5},
		{Cron: "0 20 * * *", Timezone: "Etc/UTC", Max: 7},
	}
	d := deployment(t, client, s, b, keys)
	after := up(t, d)
	nothingToDo(t, d)
	if all := instancesOf(after); len(all) != 4 || !all[before.Machines[0].InstanceID] ||
		after.Scaling.Policy.Metric != "requests_per_target" ||
		len(after.Scaling.Schedules) != 2 {
		t.Errorf("status %+v", after.Scaling)
	}
	// What a schedule has set is not taken back.
	if _, err := client.ASG.UpdateAutoScalingGroup(t.Context(), &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: aws.String("aloft-tutorial"), MinSize: aws.Int32(5)}); err != nil {
		t.Fatal(err)
	}
	if status := up(t, d); status.Scaling.Min != 5 {
		t.Errorf("min %d", status.Scaling.Min)
	}
	s.Scaling.Schedule, s.Scaling.Target = nil, spec.Target{}
	d = deployment(t, client, s, b, keys)
	if status := up(t, d); status.Scaling.Policy != nil || len(status.Scaling.Schedules) != 0 ||
		status.Scaling.Min != 4 {
		t.Errorf("status %+v", status.Scaling)
	}
	nothingToDo(t, d)
}

func TestAGroupThatCannotLaunchIsToldByItsOwnCause(t *testing.T) {
	t.Parallel()
	c, b, keys := newCloud(t), &installer{release: "r1"}, t.TempDir()
	client := c.client(t, nil)
	d := deployment(t, client, parse(t, scalingSpec), b, keys)
	up(t, d)
	if _, err := client.EC2.DeleteKeyPair(t.Context(), &ec2.DeleteKeyPairInput{KeyName: aws.String("aloft-tutorial")}); err != nil {
		t.Fatal(err)
	}
	_, err := d.Scale(t.Context(), 4)
	list := diag.From(err)
	if len(list) != 1 || !strings.Contains(list[0].Summary, "could not launch a machine 3 times") ||
		!strings.Contains(list[0].Detail, "key pair") {
		t.Errorf("got %v", err)
	}
}

func TestDownTakesAGroupAwayThatSomebodyHasSuspendedAndProtected(t *testing.T) {
	t.Parallel()
	c, b := newCloud(t), &installer{release: "r1"}
	client := c.client(t, nil)
	d := deployment(t, client, parse(t, scalingSpec), b, t.TempDir())
	status := up(t, d)
	name := aws.String(status.Scaling.Group)
	if _, err := client.ASG.SetInstanceProtection(t.Context(), &autoscaling.SetInstanceProtectionInput{AutoScalingGroupName: name, InstanceIds: []string{status.Machines[0].InstanceID}, ProtectedFromScaleIn: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.ASG.SuspendProcesses(t.Context(), &autoscaling.SuspendProcessesInput{AutoScalingGroupName: name, ScalingProcesses: []string{"Terminate", "Launch"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.ASG.UpdateAutoScalingGroup(t.Context(), &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: name, MinSize: aws.Int32(1)}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.ASG.EnterStandby(t.Context(), &autoscaling.EnterStandbyInput{AutoScalingGroupName: name, InstanceIds: []string{status.Machines[1].InstanceID}, ShouldDecrementDesiredCapacity: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	if err := d.Down(t.Context(), apply.DownOptions{Images: true}); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, c)
}

func TestAPortThatAGroupCannotServeOnIsRefused(t *testing.T) {
	t.Parallel()
	c, keys, s := newCloud(t), t.TempDir(), parse(t, scalingSpec)
	client := c.client(t, nil)
	up(t, deployment(t, client, s, &installer{release: "r1"}, keys))
	s.Port = 8080
	_, err := deployment(t, client, s, &installer{release: "r2"}, keys).Up(t.Context())
	if list := diag.From(err); len(list) != 1 || list[0].Where != "port" {
		t.Errorf("got %v", err)
	}
	nothingToDo(t, deployment(t, client, parse(t, scalingSpec), &installer{release: "r1"}, keys))
}

func scalingOf(t *testing.T) *spec.Spec { return parse(t, scalingSpec) }

func TestAnUpOfAGroupKilledAfterAnyCallIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	everyKill(t, 35, killedUp(nil, scalingOf, [2]string{"", "r1"}, finished))
}

func TestBecomingAGroupKilledAfterAnyCallIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	everyKill(t, 10, killedUp(tutorial, scalingOf, [2]string{"r1", "r1"}, finished))
}

func TestBecomingServersKilledAfterAnyCallIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	everyKill(t, 10, killedUp(scalingOf, tutorial, [2]string{"r1", "r1"}, finished))
}

func TestAReleaseOfAGroupKilledAfterAnyCallIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	everyKill(t, 10, killedUp(scalingOf, scalingOf, [2]string{"r1", "r2"}, finished))
}

func TestDownAfterAnUpOfAGroupKilledAfterAnyCallLeavesNothing(t *testing.T) {
	t.Parallel()
	everyKill(t, 35, killedUp(nil, scalingOf, [2]string{"", "r1"}, removed))
}

func TestADownOfAGroupKilledAfterAnyCallIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	everyKill(t, 15, killedDown(scalingOf))
}
