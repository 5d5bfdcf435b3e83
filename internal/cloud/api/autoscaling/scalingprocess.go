package autoscaling

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// DescribeScalingProcessTypes lists the processes that can be suspended.
func (a *API) DescribeScalingProcessTypes(
	context.Context, *autoscaling.DescribeScalingProcessTypesInput,
) (*autoscaling.DescribeScalingProcessTypesOutput, error) {
	out := &autoscaling.DescribeScalingProcessTypesOutput{}
	for _, p := range scalinggroup.Processes() {
		out.Processes = append(out.Processes, types.ProcessType{ProcessName: aws.String(p)})
	}
	return out, nil
}

// SuspendProcesses suspends processes of a group. The reason of a process that is
// already suspended gets the new time.
func (a *API) SuspendProcesses(
	ctx context.Context, in *autoscaling.SuspendProcessesInput,
) (*autoscaling.SuspendProcessesOutput, error) {
	reason := "User suspended at " + a.Now().UTC().Format("2006-01-02T15:04:05Z")
	suspend := func(list []store.SuspendedProcess, process string) []store.SuspendedProcess {
		return append(list, store.SuspendedProcess{Name: process, Reason: reason})
	}
	return &autoscaling.SuspendProcessesOutput{}, a.updateSuspended(
		ctx, in.AutoScalingGroupName, in.ScalingProcesses, suspend,
	)
}

// ResumeProcesses resumes processes of a group.
func (a *API) ResumeProcesses(
	ctx context.Context, in *autoscaling.ResumeProcessesInput,
) (*autoscaling.ResumeProcessesOutput, error) {
	resume := func(list []store.SuspendedProcess, _ string) []store.SuspendedProcess { return list }
	return &autoscaling.ResumeProcessesOutput{}, a.updateSuspended(
		ctx, in.AutoScalingGroupName, in.ScalingProcesses, resume,
	)
}

// updateSuspended changes a group's list of suspended processes for each of the
// given processes, or for all processes if none is given. change receives the
// list without the process and returns the new list.
func (a *API) updateSuspended(
	ctx context.Context, group *string, processes []string,
	change func(list []store.SuspendedProcess, process string) []store.SuspendedProcess,
) error {
	all := scalinggroup.Processes()
	for _, p := range processes {
		if !slices.Contains(all, p) {
			return invalid("%s is not a valid process type", p)
		}
	}
	if len(processes) == 0 {
		processes = all
	}
	return a.Store.Update(func(tx *store.Tx) error {
		g, err := findGroup(tx, wire.RegionFrom(ctx), group)
		if err != nil {
			return err
		}
		list := slices.Clone(g.Suspended)
		for _, p := range processes {
			list = change(slices.DeleteFunc(list, func(s store.SuspendedProcess) bool { return s.Name == p }), p)
		}
		store.ScalingGroups.Edit(tx, g.Key(), func(g *store.ScalingGroup) { g.Suspended = list })
		return nil
	})
}
