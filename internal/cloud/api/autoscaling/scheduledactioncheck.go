package autoscaling

import (
	"cmp"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/scaling/capacity"
)

func checkActionSizes(in *types.ScheduledUpdateGroupActionRequest) error {
	if in.MinSize == nil && in.MaxSize == nil && in.DesiredCapacity == nil {
		return invalid("At least one of the following must be specified: MinSize, MaxSize, DesiredCapacity")
	}
	minSize, maxSize := aws.ToInt32(in.MinSize), constraint.Default(in.MaxSize, math.MaxInt32)
	switch desired := constraint.Default(in.DesiredCapacity, minSize); {
	case minSize > maxSize:
		return invalid("Max bound, %d, must be greater than or equal to min bound, %d", maxSize, minSize)
	case desired < minSize || desired > maxSize:
		return invalid("Desired capacity:%d must be between the specified min size:%d and max size:%d",
			desired, minSize, maxSize)
	}
	return cmp.Or(
		model.Between("minSize", in.MinSize, 0, math.MaxInt32),
		model.Between("maxSize", in.MaxSize, 0, math.MaxInt32),
		model.Between("desiredCapacity", in.DesiredCapacity, 0, math.MaxInt32),
	)
}

func checkActionTimes(in *types.ScheduledUpdateGroupActionRequest, now time.Time) error {
	if _, err := capacity.Zone(aws.ToString(in.TimeZone)); err != nil || aws.ToString(in.TimeZone) == "Local" {
		return invalid("Given time zone: %s is invalid", *in.TimeZone)
	}
	switch {
	case in.Recurrence == nil && in.StartTime == nil:
		return invalid("At least one of StartTime and Recurrence must be specified")
	case in.Recurrence != nil && !capacity.CheckRecurrence(*in.Recurrence):
		return invalid("Given recurrence string: %s is invalid", *in.Recurrence)
	case in.StartTime != nil && in.StartTime.Before(now):
		return invalid("Given start time is in the past")
	case in.EndTime != nil && in.EndTime.Before(now):
		return invalid("Given end time is in the past")
	case in.EndTime != nil && in.StartTime != nil && !in.StartTime.Before(*in.EndTime):
		return invalid("Given start time must be before the given end time")
	}
	return nil
}
