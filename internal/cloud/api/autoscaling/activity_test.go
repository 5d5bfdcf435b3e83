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
		began := time.Now()
		time.Sleep(time.Hour)
		must(w.TerminateInstanceInAutoScalingGroup(w.ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{
			InstanceId: &ids[0], ShouldDecrementDesiredCapacity: new(true),
		}))(t)
		w.waitForLoop()
		find := func(in autoscaling.DescribeScalingActivitiesInput) (n int) {
			t.Helper()
			in.AutoScalingGroupName, in.MaxRecords = new("g"), new(int32(1))
			last := time.Now()
			for {
				out := must(w.DescribeScalingActivities(w.ctx, &in))(t)
				for _, a := range out.Activities {
					if a.StartTime.After(last) {
						t.Error("an older one came first")
					}
					last, n = *a.StartTime, n+1
				}
				if in.NextToken = out.NextToken; in.NextToken == nil {
					return n
				}
			}
		}
		filter := func(name string, values ...string) autoscaling.DescribeScalingActivitiesInput {
			return autoscaling.DescribeScalingActivitiesInput{Filters: []types.Filter{{Name: &name, Values: values}}}
		}
		all, after, before := find(autoscaling.DescribeScalingActivitiesInput{}), find(filter(
			"StartTimeLowerBound", began.Format(time.RFC3339),
		)), find(filter("StartTimeUpperBound", began.UTC().Format("2006-01-02T15:04:05")))
		if all != 4 || after != 1 || before != 3 || find(filter(
			"Status", "Successful", "Failed",
		)) != 4 || find(filter("Status", "Failed")) != 0 {
			t.Error(all, after, before)
		}
		if n := find(autoscaling.DescribeScalingActivitiesInput{
			ActivityIds: []string{*w.newestActivity(ids[0]).ActivityId, "none"},
		}); n != 1 {
			t.Error(n)
		}
		time.Sleep(scalinggroup.ActivityRetention)
		if n := find(autoscaling.DescribeScalingActivitiesInput{}); n != 0 {
			t.Errorf("%d after six weeks", n)
		}
		_, err := w.DescribeScalingActivities(w.ctx, &autoscaling.DescribeScalingActivitiesInput{
			Filters: []types.Filter{{Name: new("Status"), Values: []string{"Failed"}}},
		})
		wantError(t, err, "ValidationError", "AutoScalingGroupName")
	})
}
