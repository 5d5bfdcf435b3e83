package autoscaling_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestLaunchSourceCannotChangeDuringARefresh(t *testing.T) {
	w := newRefreshWorld(t)
	id, err := w.startRefresh(nil)
	if err != nil {
		t.Fatal(err)
	}
	change := func(word string) error {
		_, err := w.UpdateAutoScalingGroup(
			t.Context(),
			&autoscaling.UpdateAutoScalingGroupInput{
				AutoScalingGroupName: aws.String("g"), LaunchTemplate: w.templateVersion(word),
			},
		)
		return err
	}
	if err := change("2"); errorText(
		err,
	) != "ValidationError: An active instance refresh with a desired configuration exists. All configuration options "+
		"derived from the desired configuration are not available for update while the instance refresh is active." {
		t.Errorf("got %v", err)
	}
	if err := change("1"); err != nil {
		t.Errorf("the configuration that it has: %v", err)
	}
	w.editRefresh(id, func(r *store.InstanceRefresh) { r.Status = store.RefreshCancelled })
	if err := change("2"); err != nil {
		t.Errorf("after the refresh: %v", err)
	}
}
