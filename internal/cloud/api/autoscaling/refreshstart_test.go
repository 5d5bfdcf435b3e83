//go:build linux

package autoscaling_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestStartRefreshAppliesDefaultPreferences(t *testing.T) {
	w := newRefreshWorld(t)
	id := must(w.startRefresh(nil))(t)
	r := w.refreshes()[0]
	check(t, "InstanceRefreshId", *r.InstanceRefreshId, id)
	check(t, "Status", r.Status, "Pending")
	check(t, "Strategy", r.Strategy, "Rolling")
	check(t, "StartTime", r.StartTime, nil)
	check(t, "PercentageComplete", r.PercentageComplete, nil)
	check(t, "Version", *r.DesiredConfiguration.LaunchTemplate.Version, "2")
	check(t, "LaunchTemplateName", *r.DesiredConfiguration.LaunchTemplate.LaunchTemplateName, "web")

	p := r.Preferences
	check(t, "MinHealthyPercentage", *p.MinHealthyPercentage, 90)
	check(t, "MaxHealthyPercentage", p.MaxHealthyPercentage, nil)
	check(t, "InstanceWarmup", *p.InstanceWarmup, 90) // the health check grace period
	check(t, "SkipMatching", *p.SkipMatching, false)
	check(t, "AutoRollback", *p.AutoRollback, false)
	check(t, "CheckpointDelay", p.CheckpointDelay, nil)
	check(t, "StandbyInstances", p.StandbyInstances, "Wait")
	check(t, "ScaleInProtectedInstances", p.ScaleInProtectedInstances, "Wait")
}

func TestRefreshPreferencesDefaultToTheGroups(t *testing.T) {
	w := newRefreshWorld(t)
	w.update(func(tx *store.Tx) {
		store.ScalingGroups.Edit(tx, "eu-west-1/g", func(g *store.ScalingGroup) {
			g.DefaultWarmup, g.MinHealthy, g.MaxHealthy = aws.Int32(30), 100, 110
		})
	})
	must(w.startRefresh(func(in *refreshInput) {
		in.DesiredConfiguration = nil
		in.Preferences = &types.RefreshPreferences{CheckpointPercentages: []int32{20, 100}}
	}))(t)
	p := w.refreshes()[0].Preferences
	check(t, "MinHealthyPercentage", *p.MinHealthyPercentage, 100)
	check(t, "MaxHealthyPercentage", *p.MaxHealthyPercentage, 110)
	check(t, "InstanceWarmup", *p.InstanceWarmup, 30)
	check(t, "CheckpointDelay", *p.CheckpointDelay, 3600)
}

func TestStartRefreshRefusesInvalidRequests(t *testing.T) {
	w := newRefreshWorld(t)
	with := func(p types.RefreshPreferences) func(*refreshInput) {
		return func(in *refreshInput) { in.Preferences = &p }
	}
	for _, tc := range []struct {
		change     func(*refreshInput)
		code, text string
	}{
		{
			func(in *refreshInput) { in.AutoScalingGroupName = aws.String("none") },
			"ValidationError", "AutoScalingGroup name not found - AutoScalingGroup none not found",
		},
		{
			func(in *refreshInput) { in.Strategy = types.RefreshStrategyReplaceRootVolume },
			"NotImplemented", "aloft's local cloud does not implement replacing root volumes of running instances " +
				"(Strategy ReplaceRootVolume)",
		},
		{
			with(types.RefreshPreferences{MinHealthyPercentage: aws.Int32(50), MaxHealthyPercentage: aws.Int32(200)}),
			"ValidationError", "The difference between MaxHealthyPercentage and MinHealthyPercentage cannot be " +
				"greater than 100.",
		},
		{
			with(types.RefreshPreferences{MaxHealthyPercentage: aws.Int32(200)}),
			"ValidationError", "You must specify MinHealthyPercentage when you specify MaxHealthyPercentage.",
		},
		{
			with(types.RefreshPreferences{CheckpointPercentages: []int32{50, 50}}),
			"ValidationError", "CheckpointPercentages must be unique, in ascending order and from 1 to 100.",
		},
		{
			with(types.RefreshPreferences{CheckpointDelay: aws.Int32(60)}),
			"ValidationError", "You must specify CheckpointPercentages when you specify CheckpointDelay.",
		},
		{
			with(types.RefreshPreferences{AlarmSpecification: &types.AlarmSpecification{Alarms: []string{"errors"}}}),
			"ValidationError", "The CloudWatch alarm errors does not exist.",
		},
		{
			func(in *refreshInput) { in.DesiredConfiguration.LaunchTemplate = w.templateVersion("9") },
			"ValidationError", "You must use a valid fully-formed launch template. Could not find the specified " +
				"version 9 for the launch template with",
		},
		{
			func(in *refreshInput) {
				in.DesiredConfiguration = nil
				in.Preferences = &types.RefreshPreferences{AutoRollback: aws.Bool(true)}
			},
			"ValidationError", "The request isn't valid. The AutoRollback parameter cannot be set to true when the " +
				"DesiredConfiguration parameter is empty. Set AutoRollback to false or specify a desired " +
				"configuration and try again.",
		},
	} {
		_, err := w.startRefresh(tc.change)
		wantError(t, err, tc.code, tc.text)
	}
}

func TestAGroupHasOneActiveRefresh(t *testing.T) {
	w := newRefreshWorld(t)
	must(w.startRefresh(nil))(t)
	_, err := w.startRefresh(nil)
	check(t, "error", errorText(err), "InstanceRefreshInProgress: An Instance Refresh is already in progress and "+
		"blocks the execution of this Instance Refresh.")
	check(t, "number of refreshes", len(w.refreshes()), 1)
}
