package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// MonitorInstances enables detailed monitoring of instances.
func (a *API) MonitorInstances(
	ctx context.Context, in *ec2.MonitorInstancesInput,
) (*ec2.MonitorInstancesOutput, error) {
	changed, err := a.setMonitoring(ctx, in.DryRun, in.InstanceIds, true)
	return &ec2.MonitorInstancesOutput{InstanceMonitorings: changed}, err
}

// UnmonitorInstances disables detailed monitoring of instances.
func (a *API) UnmonitorInstances(
	ctx context.Context, in *ec2.UnmonitorInstancesInput,
) (*ec2.UnmonitorInstancesOutput, error) {
	changed, err := a.setMonitoring(ctx, in.DryRun, in.InstanceIds, false)
	return &ec2.UnmonitorInstancesOutput{InstanceMonitorings: changed}, err
}

// setMonitoring enables or disables detailed monitoring of all the instances or of none. The
// response says that it is about to: AWS needs a moment.
func (a *API) setMonitoring(
	ctx context.Context, dryRun *bool, ids []string, enabled bool,
) (changed []types.InstanceMonitoring, err error) {
	if len(ids) == 0 {
		return nil, missingParameter("InstanceId")
	}
	state := types.MonitoringStateDisabling
	if enabled {
		state = types.MonitoringStatePending
	}
	err = a.change(ctx, dryRun, func(tx *store.Tx, region identity.Region) error {
		rows, err := instances.find(tx, region, ids)
		if err != nil {
			return err
		}
		changed = list(rows, func(row vm) types.InstanceMonitoring {
			store.Instances.Edit(tx, row.ID, func(row *store.Instance) { row.Monitoring = enabled })
			return types.InstanceMonitoring{
				InstanceId: aws.String(row.ID), Monitoring: &types.Monitoring{State: state},
			}
		})
		return nil
	})
	return changed, err
}
