package console

import (
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// activities reads the latest activities of all Auto Scaling groups, at most as many.
func (c *Console) activities(r *http.Request, clients clients, most int32) (found []Activity, err error) {
	out, err := clients.asg.DescribeScalingActivities(r.Context(), &autoscaling.DescribeScalingActivitiesInput{
		MaxRecords: &most,
	})
	if err != nil {
		return nil, fmt.Errorf("read the scaling activities: %w", err)
	}
	for _, a := range out.Activities {
		activity := Activity{
			Group: aws.ToString(a.AutoScalingGroupName), Text: aws.ToString(a.Description),
			Cause: aws.ToString(a.Cause), Status: string(a.StatusCode), At: aws.ToTime(a.StartTime),
			Progress: aws.ToInt32(a.Progress), Health: Waiting,
		}
		switch a.StatusCode {
		case types.ScalingActivityStatusCodeSuccessful:
			activity.Health = Good
		case types.ScalingActivityStatusCodeFailed, types.ScalingActivityStatusCodeCancelled:
			activity.Health = Bad
		}
		found = append(found, activity)
	}
	return found, nil
}
