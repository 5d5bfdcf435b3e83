//go:build linux

package autoscaling_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestRollbackRequiresAFixedConfiguration(t *testing.T) {
	w := newRefreshWorld(t)
	for _, version := range []string{"$Latest", "$Default", "3"} {
		must(w.UpdateAutoScalingGroup(t.Context(), &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: aws.String("g"), LaunchTemplate: w.templateVersion(version),
		}))(t)
		_, err := w.startRefresh(func(in *refreshInput) {
			in.Preferences = &types.RefreshPreferences{AutoRollback: aws.Bool(true)}
		})
		wantError(t, err, "ValidationError", "The request isn't valid. The AutoRollback parameter cannot be set to "+
			"true when the Auto Scaling group ")

		id := must(w.startRefresh(nil))(t)
		_, err = w.rollback()
		wantError(t, err, "IrreversibleInstanceRefresh", "")
		w.update(func(tx *store.Tx) { store.InstanceRefreshes.Delete(tx, id) })
	}
}

func (w *refreshWorld) rollback() (*autoscaling.RollbackInstanceRefreshOutput, error) {
	return w.RollbackInstanceRefresh(w.t.Context(), &autoscaling.RollbackInstanceRefreshInput{
		AutoScalingGroupName: aws.String("g"),
	})
}
