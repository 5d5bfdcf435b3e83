//go:build linux

package autoscaling_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
)

func TestActivitiesAreFilteredAndPagedNewestFirst(t *testing.T) {
	withLoop(t, func(w *world) {
		ids := w.createGroup(nil)
		launched := time.Now()
		time.Sleep(time.Hour)
		must(w.TerminateInstanceInAutoScalingGroup(w.ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{
			InstanceId: &ids[0], ShouldDecrementDesiredCapacity: new(true),
		}))(t)
		w.waitForLoop()
		count := func(filters ...types.Filter) int {
			t.Helper()
			return w.countActivities(&autoscaling.DescribeScalingActivitiesInput{Filters: filters})
		}
		after := filter("StartTimeLowerBound", launched.Format(time.RFC3339))
		before := filter("StartTimeUpperBound", launched.UTC().Format("2006-01-02T15:04:05"))
		check(t, "number of activities", count(), 4)
		check(t, "number of activities after the launches", count(after), 1)
		check(t, "number of activities until the launches", count(before), 3)
		check(t, "number of ended activities", count(filter("Status", "Successful", "Failed")), 4)
		check(t, "number of failed activities", count(filter("Status", "Failed")), 0)
		check(t, "number of activities by ID", w.countActivities(&autoscaling.DescribeScalingActivitiesInput{
			ActivityIds: []string{*w.newestActivity(ids[0]).ActivityId, "none"},
		}), 1)

		time.Sleep(scalinggroup.ActivityRetention)
		check(t, "number of activities after their retention", count(), 0)
		_, err := w.DescribeScalingActivities(w.ctx, &autoscaling.DescribeScalingActivitiesInput{
			Filters: []types.Filter{filter("Status", "Failed")},
		})
		wantError(t, err, "ValidationError", "AutoScalingGroupName")
	})
}

// countActivities counts a group's activities, one a page, and checks their order.
func (w *world) countActivities(in *autoscaling.DescribeScalingActivitiesInput) (n int) {
	w.t.Helper()
	in.AutoScalingGroupName, in.MaxRecords = new("g"), new(int32(1))
	previous := time.Now()
	for {
		out := must(w.DescribeScalingActivities(w.ctx, in))(w.t)
		for _, a := range out.Activities {
			if a.StartTime.After(previous) {
				w.t.Error("an activity follows an older one")
			}
			previous, n = *a.StartTime, n+1
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return n
		}
	}
}
