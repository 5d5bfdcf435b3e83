//go:build linux

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
		suspended := w.describeGroup().SuspendedProcesses
		check(t, "number of SuspendedProcesses", len(suspended), 1)
		check(t, "ProcessName", *suspended[0].ProcessName, "Launch")
		check(t, "SuspensionReason", *suspended[0].SuspensionReason, "User suspended at 2000-01-01T00:01:00Z")

		must(w.SuspendProcesses(w.ctx, &autoscaling.SuspendProcessesInput{AutoScalingGroupName: new("g")}))(t)
		types := must(w.DescribeScalingProcessTypes(w.ctx, &autoscaling.DescribeScalingProcessTypesInput{}))(t)
		check(t, "number of process types", len(types.Processes), 9)
		check(t, "number of SuspendedProcesses", len(w.describeGroup().SuspendedProcesses), 9)

		must(w.ResumeProcesses(w.ctx, &autoscaling.ResumeProcessesInput{AutoScalingGroupName: new("g")}))(t)
		check(t, "number of SuspendedProcesses", len(w.describeGroup().SuspendedProcesses), 0)
		_, err := w.SuspendProcesses(w.ctx, &autoscaling.SuspendProcessesInput{
			AutoScalingGroupName: new("g"), ScalingProcesses: []string{"Sleep"},
		})
		wantError(t, err, "ValidationError", "Sleep is not a valid process type")
	})
}
