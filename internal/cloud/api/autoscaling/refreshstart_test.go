package autoscaling_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestStartRefreshAppliesDefaultPreferences(t *testing.T) {
	w := newRefreshWorld(t)
	id, err := w.startRefresh(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := w.refreshes()[0]
	p := r.Preferences
	if *r.InstanceRefreshId != id || r.Status != "Pending" || r.Strategy != "Rolling" || r.StartTime != nil ||
		r.PercentageComplete != nil ||
		*r.DesiredConfiguration.LaunchTemplate.Version != "2" ||
		*r.DesiredConfiguration.LaunchTemplate.LaunchTemplateName != "web" {
		t.Errorf("%+v", r)
	}
	if *p.MinHealthyPercentage != 90 || p.MaxHealthyPercentage != nil || *p.InstanceWarmup != 90 || *p.SkipMatching ||
		*p.AutoRollback ||
		p.CheckpointDelay != nil ||
		p.StandbyInstances != "Wait" ||
		p.ScaleInProtectedInstances != "Wait" {
		t.Errorf("%+v", p)
	}
	w.update(func(tx *store.Tx) {
		store.ScalingGroups.Edit(
			tx,
			"eu-west-1/g",
			func(g *store.ScalingGroup) { g.DefaultWarmup, g.MinHealthy, g.MaxHealthy = aws.Int32(30), 100, 110 },
		)
		store.InstanceRefreshes.Delete(tx, id)
	})
	if _, err := w.startRefresh(func(in *autoscaling.StartInstanceRefreshInput) {
		in.DesiredConfiguration, in.Preferences = nil, &types.RefreshPreferences{
			CheckpointPercentages: []int32{20, 100},
		}
	}); err != nil {
		t.Fatal(err)
	}
	if p := w.refreshes()[0].Preferences; *p.MinHealthyPercentage != 100 || *p.MaxHealthyPercentage != 110 ||
		*p.InstanceWarmup != 30 ||
		*p.CheckpointDelay != 3600 {
		t.Errorf("%+v", p)
	}
}

func TestStartRefreshRefusesInvalidRequests(t *testing.T) {
	w := newRefreshWorld(t)
	with := func(p types.RefreshPreferences) func(*autoscaling.StartInstanceRefreshInput) {
		return func(in *autoscaling.StartInstanceRefreshInput) { in.Preferences = &p }
	}
	for want, change := range map[string]func(*autoscaling.StartInstanceRefreshInput){
		"ValidationError: AutoScalingGroup name not found - AutoScalingGroup none not found": func(in *autoscaling.StartInstanceRefreshInput) { in.AutoScalingGroupName = aws.String("none") },
		"NotImplemented: aloft's local cloud does not implement replacing root volumes of running instances " +
			"(Strategy ReplaceRootVolume)": func(in *autoscaling.StartInstanceRefreshInput) { in.Strategy = types.RefreshStrategyReplaceRootVolume },
		"ValidationError: The difference between MaxHealthyPercentage and MinHealthyPercentage cannot be greater " +
			"than 100.": with(types.RefreshPreferences{
			MinHealthyPercentage: aws.Int32(50), MaxHealthyPercentage: aws.Int32(200),
		}),
		"ValidationError: You must specify MinHealthyPercentage when you specify MaxHealthyPercentage.": with(types.RefreshPreferences{
			MaxHealthyPercentage: aws.Int32(200),
		}),
		"ValidationError: CheckpointPercentages must be unique, in ascending order and from 1 to 100.": with(types.RefreshPreferences{
			CheckpointPercentages: []int32{50, 50},
		}),
		"ValidationError: You must specify CheckpointPercentages when you specify CheckpointDelay.": with(types.RefreshPreferences{
			CheckpointDelay: aws.Int32(60),
		}),
		"ValidationError: The CloudWatch alarm errors does not exist.": with(types.RefreshPreferences{
			AlarmSpecification: &types.AlarmSpecification{Alarms: []string{"errors"}},
		}),
		"ValidationError: You must use a valid fully-formed launch template. Could not find the specified version 9 " +
			"for the launch template with": func(in *autoscaling.StartInstanceRefreshInput) {
			in.DesiredConfiguration.LaunchTemplate = w.templateVersion("9")
		},
		"ValidationError: The request isn't valid. The AutoRollback parameter cannot be set to true when the " +
			"DesiredConfiguration parameter is empty. Set AutoRollback to false or specify a desired configuration " +
			"and try again.": func(in *autoscaling.StartInstanceRefreshInput) {
			in.DesiredConfiguration, in.Preferences = nil, &types.RefreshPreferences{AutoRollback: aws.Bool(true)}
		},
	} {
		if _, err := w.startRefresh(change); !strings.HasPrefix(errorText(err), want) {
			t.Errorf("got %s, want %s", errorText(err), want)
		}
	}
	if _, err := w.startRefresh(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := w.startRefresh(nil); errorText(
		err,
	) != "InstanceRefreshInProgress: An Instance Refresh is already in progress and blocks the execution of this "+
		"Instance Refresh." {
		t.Errorf("a second refresh: %v", err)
	}
	if n := len(w.refreshes()); n != 1 {
		t.Errorf("%d refreshes", n)
	}
}
