package ec2

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

func checkMaintenance(in *types.InstanceMaintenanceOptionsRequest) error {
	if in == nil {
		return nil
	}
	return checkEnum("autoRecovery", in.AutoRecovery)
}

// autoRecovery returns whether an instance moves to another system when its own fails. The system is
// the host, which no instance can leave, so this is recorded alone.
func autoRecovery(row vm) types.InstanceAutoRecoveryState {
	return cmp.Or(types.InstanceAutoRecoveryState(row.AutoRecovery), types.InstanceAutoRecoveryStateDefault)
}

// ModifyInstanceMaintenanceOptions records whether an instance recovers automatically.
func (a *API) ModifyInstanceMaintenanceOptions(
	ctx context.Context, in *ec2.ModifyInstanceMaintenanceOptionsInput,
) (*ec2.ModifyInstanceMaintenanceOptionsOutput, error) {
	if err := required(parameter{"instanceId", in.InstanceId}); err != nil {
		return nil, err
	}
	if err := supportOnly(in, "DryRun", "InstanceId", "AutoRecovery"); err != nil {
		return nil, err
	}
	if err := checkEnum("autoRecovery", in.AutoRecovery); err != nil {
		return nil, err
	}
	out := &ec2.ModifyInstanceMaintenanceOptionsOutput{InstanceId: in.InstanceId}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := instances.get(tx, region, *in.InstanceId)
		if err != nil {
			return err
		}
		store.Instances.Edit(tx, row.ID, func(row *store.Instance) {
			setIfGiven(&row.AutoRecovery, string(in.AutoRecovery))
			out.AutoRecovery = autoRecovery(row)
		})
		return nil
	})
}
