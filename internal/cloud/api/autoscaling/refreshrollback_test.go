package autoscaling_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestRollbackRequiresAFixedConfiguration(t *testing.T) {
	w := newRefreshWorld(t)
	for _, own := range []string{"$Latest", "$Default", "3"} {
		if _, err := w.UpdateAutoScalingGroup(t.Context(), &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: aws.String("g"), LaunchTemplate: w.templateVersion(own),
		}); err != nil {
			t.Fatal(err)
		}
		_, err := w.startRefresh(func(in *autoscaling.StartInstanceRefreshInput) {
			in.Preferences = &types.RefreshPreferences{AutoRollback: aws.Bool(true)}
		})
		if !strings.HasPrefix(
			errorText(err),
			"ValidationError: The request isn't valid. The AutoRollback parameter cannot be set to true when the "+
				"Auto Scaling group ",
		) {
			t.Errorf("%s: %v", own, err)
		}
		id, err := w.startRefresh(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.RollbackInstanceRefresh(t.Context(), &autoscaling.RollbackInstanceRefreshInput{
			AutoScalingGroupName: aws.String("g"),
		}); !strings.HasPrefix(errorText(err), "IrreversibleInstanceRefresh: ") {
			t.Errorf("%s: %v", own, err)
		}
		w.update(func(tx *store.Tx) { store.InstanceRefreshes.Delete(tx, id) })
	}
}
