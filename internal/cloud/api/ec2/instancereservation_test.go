package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestThePreferenceOfCapacityReservationsIsRecorded(t *testing.T) {
	c := newCloud(t)
	prefer := func(p types.CapacityReservationPreference) *types.CapacityReservationSpecification {
		return &types.CapacityReservationSpecification{CapacityReservationPreference: p}
	}
	id := c.launch(func(in *ec2.RunInstancesInput) {
		in.CapacityReservationSpecification = prefer(types.CapacityReservationPreferenceNone)
	}).InstanceId
	has := func(p types.CapacityReservationPreference) {
		t.Helper()
		in := &ec2.DescribeInstancesInput{Filters: []types.Filter{
			filter("capacity-reservation-specification.capacity-reservation-preference", string(p)),
		}}
		found := do(c, c.DescribeInstances, in).Reservations
		if len(found) != 1 ||
			found[0].Instances[0].CapacityReservationSpecification.CapacityReservationPreference != p {
			t.Errorf("the filter for %s finds %+v", p, found)
		}
	}
	has(types.CapacityReservationPreferenceNone)
	change := &ec2.ModifyInstanceCapacityReservationAttributesInput{
		InstanceId: id, CapacityReservationSpecification: prefer(types.CapacityReservationPreferenceOpen),
	}
	wantError(c, c.ModifyInstanceCapacityReservationAttributes, change,
		"IncorrectInstanceState: The instance '"+*id+"' is not in the 'stopped' state.")
	if err := c.Store.Update(func(tx *store.Tx) error {
		store.Instances.Edit(tx, *id, func(row *store.Instance) { row.State = store.Stopped })
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	do(c, c.ModifyInstanceCapacityReservationAttributes, change)
	has(types.CapacityReservationPreferenceOpen)
	change.CapacityReservationSpecification = prefer("")
	wantError(c, c.ModifyInstanceCapacityReservationAttributes, change,
		"MissingParameter: The request must contain the parameter capacityReservationSpecification")
	change.CapacityReservationSpecification = prefer(types.CapacityReservationPreferenceCapacityReservationsOnly)
	wantError(c, c.ModifyInstanceCapacityReservationAttributes, change, "UnsupportedOperation: aloft's local cloud "+
		"does not support the parameter capacityReservationSpecification.capacityReservationPreference")
}
