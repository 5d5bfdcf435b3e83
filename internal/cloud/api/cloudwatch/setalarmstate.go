package cloudwatch

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// SetAlarmState sets an alarm's state, which lasts until its next evaluation.
func (a *API) SetAlarmState(
	ctx context.Context, in *cloudwatch.SetAlarmStateInput,
) (*cloudwatch.SetAlarmStateOutput, error) {
	if err := checkAlarmName(in.AlarmName); err != nil {
		return nil, err
	}
	states := []string{alarm.InsufficientData, alarm.InAlarm, alarm.OK}
	switch data := aws.ToString(in.StateReasonData); {
	case in.StateValue == "":
		return nil, missingParameter("StateValue")
	case !slices.Contains(states, string(in.StateValue)):
		return nil, model.OutOfSet("stateValue", in.StateValue, states...)
	case in.StateReason == nil:
		return nil, missingParameter("StateReason")
	case len(*in.StateReason) > 1023:
		return nil, model.TooLong("stateReason", 1023)
	case len(data) > 4000:
		return nil, model.TooLong("stateReasonData", 4000)
	case data != "" && !json.Valid([]byte(data)):
		return nil, wire.Errorf("InvalidFormat", "StateReasonData must be JSON.")
	}
	return &cloudwatch.SetAlarmStateOutput{}, a.Store.Update(func(tx *store.Tx) error {
		row, ok := store.Alarms.Get(tx, alarm.ARN(wire.RegionFrom(ctx), *in.AlarmName))
		if !ok {
			return &wire.Error{Code: "ResourceNotFound", Name: "ResourceNotFound", Status: http.StatusNotFound}
		}
		alarm.SetState(
			tx,
			row,
			alarm.Verdict{
				State:  string(in.StateValue),
				Reason: *in.StateReason,
				Data:   aws.ToString(in.StateReasonData),
			},
			a.Now(),
		)
		return nil
	})
}
