package autoscaling_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
)

func TestSuspendAndResumeProcesses(t *testing.T) {
	withLoop(t, func(w *world) {
		w.createGroup(nil)
		must(w.SuspendProcesses(w.ctx, &autoscaling.SuspendProcessesInput{
			AutoScalingGroupName: new("g"), ScalingProcesses: []string{"Launch", "Launch"},
		}))(t)
		if p := w.describeGroup().SuspendedProcesses; len(p) != 1 || *p[0].ProcessName != "Launch" ||
			*p[0].SuspensionReason != "User suspended at 2000-01-01T00:01:00Z" {
			t.Errorf("%+v", p)
		}
		must(w.SuspendProcesses(w.ctx, &autoscaling.SuspendProcessesInput{AutoScalingGroupName: new("g")}))(t)
		types := must(w.DescribeScalingProcessTypes(
			w.ctx, &autoscaling.DescribeScalingProcessTypesInput{},
		))(t).Processes
		if p := w.describeGroup().SuspendedProcesses; len(p) != len(types) || len(p) != 9 {
			t.Errorf("%+v", p)
		}
		must(w.ResumeProcesses(w.ctx, &autoscaling.ResumeProcessesInput{AutoScalingGroupName: new("g")}))(t)
		if p := w.describeGroup().SuspendedProcesses; len(p) != 0 {
			t.Errorf("%+v", p)
		}
		_, err := w.SuspendProcesses(w.ctx, &autoscaling.SuspendProcessesInput{
			AutoScalingGroupName: new("g"), ScalingProcesses: []string{"Sleep"},
		})
		wantError(t, err, "ValidationError", "Sleep is not a valid process type")
	})
}
