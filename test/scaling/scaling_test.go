//go:build linux

package scaling

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
	"aloft.dev/aloft/test/simulation"
)

// instancesOf returns the instance ids of a status.
func instancesOf(s *apply.Status) map[string]bool {
	all := map[string]bool{}
	for _, m := range s.Machines {
		all[m.InstanceID] = true
	}
	return all
}

// neverBelow watches the targets that get requests until end is called. end fails
// the test if fewer than least of them were healthy at any moment.
func neverBelow(t *testing.T, c *simulation.Cloud, least int) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	lowest := 1 << 30
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			view, serving := c.Store.View(), 0
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
			t.Errorf("at one moment only %d targets were healthy, want %d", lowest, least)
		}
	}
}

func TestServersBecomeAGroupAndBackWithoutLosingCapacity(t *testing.T) {
	t.Parallel()
	c, b, keys := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}, t.TempDir()
	client := c.Client(t, nil)
	fixed := simulation.Deployment(t, client, simulation.Tutorial(t), b, keys)
	group := simulation.Deployment(t, client, simulation.ParseSpec(t, simulation.ScalingSpec), b, keys)
	before := simulation.Up(t, fixed)
	end := neverBelow(t, c, 3)
	scaled := simulation.Up(t, group)
	simulation.PlanIsEmpty(t, group)
	if len(scaled.Machines) != 3 || scaled.URL != before.URL || scaled.Scaling == nil || scaled.Scaling.Desired != 3 {
		t.Errorf("status %+v", scaled)
	}
	for _, m := range scaled.Machines {
		if m.Health != "healthy" || m.Lifecycle != "InService" || instancesOf(before)[m.InstanceID] {
			t.Errorf("machine %+v", m)
		}
	}
	after := simulation.Up(t, fixed)
	simulation.PlanIsEmpty(t, fixed)
	end()
	if len(after.Machines) != 3 || after.Scaling != nil || after.Machines[0].Name != "server-1" || b.Builds() != 1 {
		t.Errorf("status %+v, installed %d times", after, b.Builds())
	}
	simulation.EverythingOnce(t, c)
	if n := len(store.LaunchTemplates.List(c.Store.View())) + len(store.ScalingGroups.List(c.Store.View())); n != 0 {
		t.Errorf("%d launch templates and groups are left", n)
	}
}

func TestGroupStartsWithAsManyServersAsItReplaces(t *testing.T) {
	t.Parallel()
	c, b, keys, s := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}, t.TempDir(), simulation.Tutorial(t)
	client := c.Client(t, nil)
	s.Machines.Count = 5
	simulation.Up(t, simulation.Deployment(t, client, s, b, keys))
	end := neverBelow(t, c, 5)
	if status := simulation.Up(
		t, simulation.Deployment(t, client, simulation.ParseSpec(t, simulation.ScalingSpec), b, keys),
	); status.Scaling.Desired != 5 ||
		len(status.Machines) != 5 {
		t.Errorf("status %+v", status)
	}
	end()
}

func TestScaleWaitsUntilTheGroupServes(t *testing.T) {
	t.Parallel()
	c, b := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}
	d := simulation.Deployment(t, c.Client(t, nil), simulation.ParseSpec(t, simulation.ScalingSpec), b, t.TempDir())
	simulation.Up(t, d)
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
		simulation.PlanIsEmpty(t, d)
	}
	end()
	for _, n := range []int{2, 7} {
		if _, err := d.Scale(t.Context(), n); err == nil ||
			!strings.Contains(err.Error(), "the group has 3 to 6 machines") {
			t.Errorf("scale %d: %v", n, err)
		}
	}
}

func TestPolicyIgnoresMinutesThatBeganBeforeNewInstances(t *testing.T) {
	t.Parallel()
	api := simulation.New(t).Client(t, nil)
	status := simulation.Up(t, simulation.Deployment(
		t, api, simulation.ParseSpec(t, simulation.ScalingSpec), &simulation.Builder{ReleaseName: "r1"},
		t.TempDir(),
	))
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
	of := aws.ToInt32(policies.ScalingPolicies[0].EstimatedInstanceWarmup)
	if own := aws.ToInt32(groups.AutoScalingGroups[0].DefaultInstanceWarmup); of < own+120 {
		t.Errorf("the policy counts new instances after %d s, the group's warm-up is %d s", of, own)
	}
}

func TestUpWaitsForTheGroupToReplaceATerminatedInstance(t *testing.T) {
	t.Parallel()
	c, b := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}
	client := c.Client(t, nil)
	d := simulation.Deployment(t, client, simulation.ParseSpec(t, simulation.ScalingSpec), b, t.TempDir())
	before := simulation.Up(t, d)
	gone := before.Machines[1].InstanceID
	if _, err := client.EC2.TerminateInstances(
		t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{gone}},
	); err != nil {
		t.Fatal(err)
	}
	simulation.Eventually(t, func() bool {
		i, ok := store.ScalingInstances.Get(c.Store.View(), gone)
		return !ok || i.State != store.LifecycleInService
	})
	after := simulation.Up(t, d)
	if all := instancesOf(after); len(all) != 3 || all[gone] {
		t.Errorf("before %+v, after %+v", before.Machines, after.Machines)
	}
	if b.Builds() != 1 {
		t.Errorf("installed %d times", b.Builds())
	}
	simulation.PlanIsEmpty(t, d)
}

func TestGroupRollbackUsesTheEarlierTemplateVersion(t *testing.T) {
	t.Parallel()
	c, keys := simulation.New(t), t.TempDir()
	client, first := c.Client(t, nil), &simulation.Builder{ReleaseName: "r1"}
	before := simulation.Up(
		t, simulation.Deployment(t, client, simulation.ParseSpec(t, simulation.ScalingSpec), first, keys),
	)
	second := &simulation.Builder{ReleaseName: "r2"}
	d := simulation.Deployment(t, client, simulation.ParseSpec(t, simulation.ScalingSpec), second, keys)
	end := neverBelow(t, c, 3)
	after := simulation.Up(t, d)
	simulation.PlanIsEmpty(t, d)
	for id := range instancesOf(after) {
		if i, _ := store.Instances.Get(c.Store.View(), id); instancesOf(before)[id] || i.Tags["aloft:release"] != "r2" {
			t.Errorf("%s serves %s", id, i.Tags["aloft:release"])
		}
	}
	if len(after.Machines) != 3 || second.Builds() != 1 || second.Proofs() != 1 {
		t.Errorf("%d machines, built %d times, proven %d times", len(after.Machines), second.Builds(), second.Proofs())
	}
	back := simulation.Deployment(t, client, simulation.ParseSpec(t, simulation.ScalingSpec), first, keys)
	simulation.Up(t, back)
	end()
	simulation.PlanIsEmpty(t, back)
	if n := len(store.TemplateVersions.List(c.Store.View())); n != 2 || first.Builds() != 1 {
		t.Errorf("%d versions, installed %d times", n, first.Builds())
	}
	for _, i := range store.Instances.List(c.Store.View()) {
		if i.State == store.Running && i.Tags["aloft:release"] != "r1" {
			t.Errorf("%s serves %s", i.ID, i.Tags["aloft:release"])
		}
	}
}

func TestReleaseThatAGroupGivesUpOnIsRolledBackWithItsActivities(t *testing.T) {
	t.Parallel()
	s := &simulation.Application{
		Cloud: simulation.New(t), Keys: t.TempDir(), Spec: simulation.ParseSpec(t, simulation.ScalingSpec),
	}
	before := s.Release(t, "r1")
	// The shortest grace period is a minute, too long for these instances.
	if _, err := s.Client(t, nil).ASG.UpdateAutoScalingGroup(t.Context(), &autoscaling.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: &before.Scaling.Group, HealthCheckGracePeriod: aws.Int32(1),
	}); err != nil {
		t.Fatal(err)
	}
	end := neverBelow(t, s.Cloud, 3)
	bad := "r2"
	s.FailedRelease.Store(&bad)
	_, err := s.Deployment(t, &simulation.Builder{ReleaseName: bad}).Up(t.Context())
	why := simulation.RolledBack(t, err)
	simulation.Contains(t, why, "release r2", "release r1 was restored and serves")
	if strings.Contains(
		why,
		"does not stay healthy",
	) { // reported by whichever watcher sees it first: the release's or the refresh's
		simulation.Contains(t, why, "server-")
	} else {
		simulation.Contains(
			t, why, "2 servers of the new version did not become healthy in time",
			"an instance was taken out of service in response to an ELB system health check failure",
		)
	}
	end()
	s.Serves(t, "r1")
	if got := s.Results(t); got != "r1 released, r2 failed" {
		t.Error(got)
	}
}

func TestGroupSettingsAndSchedulesChangeInPlace(t *testing.T) {
	t.Parallel()
	c, b, keys := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}, t.TempDir()
	s := simulation.ParseSpec(t, simulation.ScalingSpec)
	client := c.Client(t, nil)
	before := simulation.Up(t, simulation.Deployment(t, client, s, b, keys))
	s.Scaling.Min, s.Scaling.Max, s.Scaling.Target = 4, 8, spec.Target{RequestsPerTarget: 500}
	s.Scaling.Schedule = []spec.Schedule{
		{Cron: "0 8 * * 1-5", Timezone: "Europe/Berlin", Min: 5},
		{Cron: "0 20 * * *", Timezone: "Etc/UTC", Max: 7},
	}
	d := simulation.Deployment(t, client, s, b, keys)
	after := simulation.Up(t, d)
	simulation.PlanIsEmpty(t, d)
	if all := instancesOf(after); len(all) != 4 || !all[before.Machines[0].InstanceID] ||
		after.Scaling.Policy.Metric != "requests_per_target" ||
		len(after.Scaling.Schedules) != 2 {
		t.Errorf("status %+v", after.Scaling)
	}
	// Up keeps what a schedule has set.
	if _, err := client.ASG.UpdateAutoScalingGroup(t.Context(), &autoscaling.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("aloft-tutorial"), MinSize: aws.Int32(5),
	}); err != nil {
		t.Fatal(err)
	}
	if status := simulation.Up(t, d); status.Scaling.Min != 5 {
		t.Errorf("min %d", status.Scaling.Min)
	}
	s.Scaling.Schedule, s.Scaling.Target = nil, spec.Target{}
	d = simulation.Deployment(t, client, s, b, keys)
	if status := simulation.Up(t, d); status.Scaling.Policy != nil || len(status.Scaling.Schedules) != 0 ||
		status.Scaling.Min != 4 {
		t.Errorf("status %+v", status.Scaling)
	}
	simulation.PlanIsEmpty(t, d)
}

func TestGroupThatCannotLaunchReportsTheCause(t *testing.T) {
	t.Parallel()
	c, b, keys := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}, t.TempDir()
	client := c.Client(t, nil)
	d := simulation.Deployment(t, client, simulation.ParseSpec(t, simulation.ScalingSpec), b, keys)
	simulation.Up(t, d)
	if _, err := client.EC2.DeleteKeyPair(t.Context(), &ec2.DeleteKeyPairInput{
		KeyName: aws.String("aloft-tutorial"),
	}); err != nil {
		t.Fatal(err)
	}
	_, err := d.Scale(t.Context(), 4)
	list := diag.From(err)
	if len(list) != 1 || !strings.Contains(list[0].Summary, "failed to launch an instance 3 times") ||
		!strings.Contains(list[0].Detail, "key pair") {
		t.Errorf("got %v", err)
	}
}

func TestDownDeletesASuspendedAndProtectedGroup(t *testing.T) {
	t.Parallel()
	c, b := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}
	client := c.Client(t, nil)
	d := simulation.Deployment(t, client, simulation.ParseSpec(t, simulation.ScalingSpec), b, t.TempDir())
	status := simulation.Up(t, d)
	name := aws.String(status.Scaling.Group)
	if _, err := client.ASG.SetInstanceProtection(t.Context(), &autoscaling.SetInstanceProtectionInput{
		AutoScalingGroupName: name, InstanceIds: []string{status.Machines[0].InstanceID},
		ProtectedFromScaleIn: aws.Bool(true),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.ASG.SuspendProcesses(t.Context(), &autoscaling.SuspendProcessesInput{
		AutoScalingGroupName: name, ScalingProcesses: []string{"Terminate", "Launch"},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.ASG.UpdateAutoScalingGroup(t.Context(), &autoscaling.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: name, MinSize: aws.Int32(1),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.ASG.EnterStandby(t.Context(), &autoscaling.EnterStandbyInput{
		AutoScalingGroupName: name, InstanceIds: []string{status.Machines[1].InstanceID},
		ShouldDecrementDesiredCapacity: aws.Bool(true),
	}); err != nil {
		t.Fatal(err)
	}
	if err := d.Down(t.Context(), apply.DownOptions{Images: true}); err != nil {
		t.Fatal(err)
	}
	simulation.NothingLeft(t, c)
}

func TestPortChangeOfAGroupIsRefused(t *testing.T) {
	t.Parallel()
	c, keys, s := simulation.New(t), t.TempDir(), simulation.ParseSpec(t, simulation.ScalingSpec)
	client := c.Client(t, nil)
	simulation.Up(t, simulation.Deployment(t, client, s, &simulation.Builder{ReleaseName: "r1"}, keys))
	s.Port = 8080
	_, err := simulation.Deployment(t, client, s, &simulation.Builder{ReleaseName: "r2"}, keys).Up(t.Context())
	if list := diag.From(err); len(list) != 1 || list[0].Where != "port" {
		t.Errorf("got %v", err)
	}
	simulation.PlanIsEmpty(t, simulation.Deployment(
		t, client, simulation.ParseSpec(t, simulation.ScalingSpec), &simulation.Builder{ReleaseName: "r1"}, keys,
	))
}

func TestUpOfGroupConvergesAfterKill(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(
		t, 35, simulation.KillUp(nil, simulation.ScalingTutorial, [2]string{"", "r1"}, simulation.Converges),
	)
}

func TestServersToGroupConvergesAfterKill(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(
		t, 10,
		simulation.KillUp(simulation.Tutorial, simulation.ScalingTutorial, [2]string{"r1", "r1"}, simulation.Converges),
	)
}

func TestGroupToServersConvergesAfterKill(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(
		t, 10,
		simulation.KillUp(simulation.ScalingTutorial, simulation.Tutorial, [2]string{"r1", "r1"}, simulation.Converges),
	)
}

func TestReleaseOfGroupConvergesAfterKill(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 10, simulation.KillUp(
		simulation.ScalingTutorial, simulation.ScalingTutorial, [2]string{"r1", "r2"}, simulation.Converges,
	))
}

func TestDownAfterKilledUpOfGroupLeavesNothing(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(
		t, 35, simulation.KillUp(nil, simulation.ScalingTutorial, [2]string{"", "r1"}, simulation.Removed),
	)
}

func TestDownOfGroupConvergesAfterKill(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 15, simulation.KillDown(simulation.ScalingTutorial))
}
