package autoscaling_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestActiveRefreshCanBeCancelledOrRolledBack(t *testing.T) {
	w := newRefreshWorld(t)
	group := aws.String("g")
	const none = "ActiveInstanceRefreshNotFound: No in progress, baking, pending, or cancelling Instance Refresh " +
		"found for Auto Scaling group g"
	if _, err := w.CancelInstanceRefresh(
		t.Context(), &autoscaling.CancelInstanceRefreshInput{AutoScalingGroupName: group},
	); errorText(err) != none {
		t.Errorf("cancel nothing: %v", err)
	}
	if _, err := w.RollbackInstanceRefresh(
		t.Context(), &autoscaling.RollbackInstanceRefreshInput{AutoScalingGroupName: group},
	); errorText(err) != none {
		t.Errorf("roll nothing back: %v", err)
	}
	id, err := w.startRefresh(nil)
	if err != nil {
		t.Fatal(err)
	}
	w.editRefresh(id, func(r *store.InstanceRefresh) {
		r.Status, r.Started, r.Percent, r.Remaining = store.RefreshInProgress, time.Now(), 33, 2
	})
	if out, err := w.RollbackInstanceRefresh(
		t.Context(), &autoscaling.RollbackInstanceRefreshInput{AutoScalingGroupName: group},
	); err != nil ||
		*out.InstanceRefreshId != id {
		t.Fatalf("%+v %v", out, err)
	}
	r := w.refreshes()[0]
	if d := r.RollbackDetails; r.Status != "RollbackInProgress" || *d.PercentageCompleteOnRollback != 33 ||
		*d.InstancesToUpdateOnRollback != 2 ||
		d.RollbackStartTime == nil ||
		*d.RollbackReason != "Rollback was initiated due to user request." {
		t.Errorf("%+v", r)
	}
	if out, err := w.CancelInstanceRefresh(t.Context(), &autoscaling.CancelInstanceRefreshInput{
		AutoScalingGroupName: group, WaitForTransitioningInstances: aws.Bool(false),
	}); err != nil ||
		*out.InstanceRefreshId != id {
		t.Fatalf("%+v %v", out, err)
	}
	row, _ := store.InstanceRefreshes.Get(w.store.View(), id)
	if row.Status != store.RefreshCancelling || !row.Abrupt {
		t.Errorf("%+v", row)
	}
}
