package ec2

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// reservationPreference returns whether an instance runs in Capacity Reservations. There are none,
// so this is recorded alone.
func reservationPreference(row vm) types.CapacityReservationPreference {
	return cmp.Or(
		types.CapacityReservationPreference(row.ReservationPreference), types.CapacityReservationPreferenceOpen,
	)
}

// preferenceOf returns the preference of a launch, or "".
func preferenceOf(in *types.CapacityReservationSpecification) string {
	if in == nil {
		return ""
	}
	return string(in.CapacityReservationPreference)
}

// ModifyInstanceCapacityReservationAttributes records whether a stopped instance runs in Capacity
// Reservations.
func (a *API) ModifyInstanceCapacityReservationAttributes(
	ctx context.Context, in *ec2.ModifyInstanceCapacityReservationAttributesInput,
) (*ec2.ModifyInstanceCapacityReservationAttributesOutput, error) {
	if err := required(parameter{"instanceId", in.InstanceId}); err != nil {
		return nil, err
	}
	const specification, preference = "CapacityReservationSpecification", ".CapacityReservationPreference"
	if in.CapacityReservationSpecification == nil ||
		*in.CapacityReservationSpecification == (types.CapacityReservationSpecification{}) {
		return nil, missingParameter(parameterName(specification))
	}
	if err := supportOnly(
		in, "DryRun", "InstanceId", specification+preference+"=open", specification+preference+"=none",
	); err != nil {
		return nil, err
	}
	out := &ec2.ModifyInstanceCapacityReservationAttributesOutput{Return: aws.Bool(true)}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := instances.get(tx, region, *in.InstanceId)
		if err != nil {
			return err
		}
		if row.State != store.Stopped {
			return notStopped(row)
		}
		store.Instances.Edit(tx, row.ID, func(row *store.Instance) {
			row.ReservationPreference = preferenceOf(in.CapacityReservationSpecification)
		})
		return nil
	})
}
