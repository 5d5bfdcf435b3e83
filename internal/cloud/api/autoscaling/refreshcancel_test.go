//go:build linux

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
	cancel := func() (*autoscaling.CancelInstanceRefreshOutput, error) {
		return w.CancelInstanceRefresh(t.Context(), &autoscaling.CancelInstanceRefreshInput{
			AutoScalingGroupName: aws.String("g"), WaitForTransitioningInstances: aws.Bool(false),
		})
	}
	const notFound = "ActiveInstanceRefreshNotFound: No in progress, baking, pending, or cancelling Instance Refresh " +
		"found for Auto Scaling group g"
	_, err := cancel()
	check(t, "error of CancelInstanceRefresh", errorText(err), notFound)
	_, err = w.rollback()
	check(t, "error of RollbackInstanceRefresh", errorText(err), notFound)

	id := must(w.startRefresh(nil))(t)
	w.editRefresh(id, func(r *store.InstanceRefresh) {
		r.Status, r.Started, r.Percent, r.Remaining = store.RefreshInProgress, time.Now(), 33, 2
	})
	check(t, "InstanceRefreshId", *must(w.rollback())(t).InstanceRefreshId, id)
	r := w.refreshes()[0]
	check(t, "Status", r.Status, "RollbackInProgress")
	check(t, "PercentageCompleteOnRollback", *r.RollbackDetails.PercentageCompleteOnRollback, 33)
	check(t, "InstancesToUpdateOnRollback", *r.RollbackDetails.InstancesToUpdateOnRollback, 2)
	check(t, "RollbackReason", *r.RollbackDetails.RollbackReason, "Rollback was initiated due to user request.")
	if r.RollbackDetails.RollbackStartTime == nil {
		t.Error("RollbackStartTime is missing")
	}

	check(t, "InstanceRefreshId", *must(cancel())(t).InstanceRefreshId, id)
	row, _ := store.InstanceRefreshes.Get(w.store.View(), id)
	check(t, "stored status", row.Status, store.RefreshCancelling)
	check(t, "Abrupt", row.Abrupt, true)
}
