package resource

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// Alarms returns the alarms that target tracking has created for a group. Auto
// Scaling deletes them with the policy (Amazon EC2 Auto Scaling User Guide, "Target
// tracking scaling policies": do not edit or delete them).
func (c *Cloud) Alarms(ctx context.Context, group string) ([]types.MetricAlarm, error) {
	prefix := "TargetTracking-" + group + "-"
	list, err := collect(
		ctx,
		cloudwatch.NewDescribeAlarmsPaginator(c.CW, &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: &prefix}),
		func(page *cloudwatch.DescribeAlarmsOutput) []types.MetricAlarm { return page.MetricAlarms },
	)
	if err != nil {
		return nil, fmt.Errorf("list the alarms of %s: %w", group, err)
	}
	// The prefix also matches the alarms of a group whose name continues after this
	// one's.
	return slices.DeleteFunc(list, func(a types.MetricAlarm) bool {
		return !strings.HasPrefix(strings.TrimPrefix(aws.ToString(a.AlarmName), prefix), "Alarm")
	}), nil
}
