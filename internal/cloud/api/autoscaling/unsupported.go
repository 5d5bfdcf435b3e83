package autoscaling

import (
	"cmp"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
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
	return cmp.Or(checkReservations(in.CapacityReservationSpecification), checkCapacityType(in.DesiredCapacityType))
}

// checkUpdateSupported refuses, by name, parameters that the local cloud does
// not support.
func checkUpdateSupported(in *autoscaling.UpdateAutoScalingGroupInput) error {
	if in.InstanceLifecyclePolicy != nil {
		return wire.NotImplemented("instance lifecycle policies (InstanceLifecyclePolicy)")
	}
	return cmp.Or(checkReservations(in.CapacityReservationSpecification), checkCapacityType(in.DesiredCapacityType))
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

// checkCapacityType accepts a desired capacity that counts instances, AWS's
// default.
func checkCapacityType(unit *string) error {
	switch constraint.Default(unit, "units") {
	case "units", "":
		return nil
	case "vcpu", "memory-mib":
		return wire.NotImplemented("the desired capacity type %s", *unit)
	}
	return invalid("Invalid DesiredCapacityType: %s. Valid values are units, vcpu and memory-mib", *unit)
}
