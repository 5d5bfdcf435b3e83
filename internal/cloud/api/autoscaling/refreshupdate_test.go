//go:build linux

package autoscaling_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestLaunchSourceCannotChangeDuringARefresh(t *testing.T) {
	w := newRefreshWorld(t)
	id := must(w.startRefresh(nil))(t)
	update := func(version string) error {
		_, err := w.UpdateAutoScalingGroup(t.Context(), &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: aws.String("g"), LaunchTemplate: w.templateVersion(version),
		})
		return err
	}
	check(t, "error", errorText(update("2")), "ValidationError: An active instance refresh with a desired "+
		"configuration exists. All configuration options derived from the desired configuration are not available "+
		"for update while the instance refresh is active.")
	if err := update("1"); err != nil {
		t.Errorf("update to the launch source that the group has: %v", err)
	}
	w.editRefresh(id, func(r *store.InstanceRefresh) { r.Status = store.RefreshCancelled })
	if err := update("2"); err != nil {
		t.Errorf("update after the refresh: %v", err)
	}
}
