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

// DescribeScalingProcessTypes lists what can be suspended.
func (a *API) DescribeScalingProcessTypes(context.Context, *autoscaling.DescribeScalingProcessTypesInput) (*autoscaling.DescribeScalingProcessTypesOutput, error) {
	out := &autoscaling.DescribeScalingProcessTypesOutput{}
	for _, p := range scalinggroup.Processes() {
		out.Processes = append(out.Processes, types.ProcessType{ProcessName: aws.String(p)})
	}
	return out, nil
}

// selectProcesses are those named, or all.
func selectProcesses(named []string) ([]string, error) {
	for _, p := range named {
		if !slices.Contains(scalinggroup.Processes(), p) {
			return nil, invalid("%s is not a valid process type", p)
		}
	}
	if len(named) == 0 {
		return scalinggroup.Processes(), nil
	}
	return named, nil
}

// SuspendProcesses keeps processes of a group from running.
func (a *API) SuspendProcesses(ctx context.Context, in *autoscaling.SuspendProcessesInput) (*autoscaling.SuspendProcessesOutput, error) {
	return &autoscaling.SuspendProcessesOutput{}, a.updateSuspended(
		ctx,
		in.AutoScalingGroupName,
		in.ScalingProcesses,
		func(old []store.SuspendedProcess, name string) []store.SuspendedProcess {
			return append(old, store.SuspendedProcess{
				Name:   name,
				Reason: "User suspended at " + a.Now().UTC().Format("2006-01-02T15:04:05Z"),
			})
		},
	)
}

// ResumeProcesses lets them run again.
func (a *API) ResumeProcesses(ctx context.Context, in *autoscaling.ResumeProcessesInput) (*autoscaling.ResumeProcessesOutput, error) {
	return &autoscaling.ResumeProcessesOutput{}, a.updateSuspended(
		ctx,
		in.AutoScalingGroupName,
		in.ScalingProcesses,
		func(old []store.SuspendedProcess, _ string) []store.SuspendedProcess {
			return old
		},
	)
}

// updateSuspended changes the list of suspended processes: each of those named is taken
// from it and given to add.
func (a *API) updateSuspended(
	ctx context.Context,
	name *string,
	named []string,
	add func(old []store.SuspendedProcess, process string) []store.SuspendedProcess,
) error {
	which, err := selectProcesses(named)
	if err != nil {
		return err
	}
	return a.Store.Update(func(tx *store.Tx) error {
		g, err := findGroup(tx, wire.RegionFrom(ctx), name)
		if err != nil {
			return err
		}
		list := slices.Clone(g.Suspended)
		for _, p := range which {
			list = add(slices.DeleteFunc(list, func(s store.SuspendedProcess) bool { return s.Name == p }), p)
		}
		store.ScalingGroups.Edit(tx, g.Key(), func(g *store.ScalingGroup) { g.Suspended = list })
		return nil
	})
}
