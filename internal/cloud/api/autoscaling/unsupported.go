package autoscaling

import (
	"cmp"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/wire"
)

// checkCreateSupported refuses, by name, parameters that the local cloud does
// not support.
func checkCreateSupported(in *autoscaling.CreateAutoScalingGroupInput) error {
	switch {
	case in.Operator != nil:
		return wire.NotImplemented("managed groups (Operator)")
	case in.InstanceLifecyclePolicy != nil:
		return wire.NotImplemented("instance lifecycle policies (InstanceLifecyclePolicy)")
	}
	return checkReservations(in.CapacityReservationSpecification)
}

// checkUpdateSupported refuses, by name, parameters that the local cloud does
// not support.
func checkUpdateSupported(in *autoscaling.UpdateAutoScalingGroupInput) error {
	if in.InstanceLifecyclePolicy != nil {
		return wire.NotImplemented("instance lifecycle policies (InstanceLifecyclePolicy)")
	}
	return checkReservations(in.CapacityReservationSpecification)
}

// checkReservations refuses capacity reservations, except the default of having
// no preference.
func checkReservations(s *types.CapacityReservationSpecification) error {
	if s == nil {
		return nil
	}
	preference := cmp.Or(s.CapacityReservationPreference, types.CapacityReservationPreferenceDefault)
	if s.CapacityReservationTarget == nil && preference == types.CapacityReservationPreferenceDefault {
		return nil
	}
	return wire.NotImplemented("capacity reservations (CapacityReservationSpecification)")
}
