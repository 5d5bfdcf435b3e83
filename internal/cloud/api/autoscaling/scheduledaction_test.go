//go:build linux

package autoscaling_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

func TestScheduledActionsAreDescribedWithTheirNextRun(t *testing.T) {
	c, _ := serveGroup(t)
	putMorning(t, c)
	describe := func(in autoscaling.DescribeScheduledActionsInput) []types.ScheduledUpdateGroupAction {
		t.Helper()
		in.AutoScalingGroupName = aws.String("web")
		return must(c.DescribeScheduledActions(t.Context(), &in))(t).ScheduledUpdateGroupActions
	}
	actions := describe(autoscaling.DescribeScheduledActionsInput{})
	check(t, "number of actions", len(actions), 1)
	a := actions[0]
	check(t, "ScheduledActionName", *a.ScheduledActionName, "morning")
	check(t, "StartTime", a.StartTime.UTC(), noon.Add(2*time.Hour)) // 9 o'clock in New York
	check(t, "TimeZone", *a.TimeZone, "America/New_York")
	check(t, "MinSize", *a.MinSize, 3)
	check(t, "MaxSize", a.MaxSize, nil)
	check(t, "DesiredCapacity", *a.DesiredCapacity, 4)
	if arn := *a.ScheduledActionARN; !strings.HasSuffix(
		arn, ":autoScalingGroupName/web:scheduledActionName/morning",
	) {
		t.Errorf("ScheduledActionARN is %s", arn)
	}
	soon := autoscaling.DescribeScheduledActionsInput{EndTime: aws.Time(noon.Add(90 * time.Minute))}
	check(t, "number of actions within 90 minutes", len(describe(soon)), 0)
}

func TestBatchesOfScheduledActionsReportFailures(t *testing.T) {
	c, _ := serveGroup(t)
	putMorning(t, c)
	ctx := t.Context()
	once := func(name string, start time.Time) types.ScheduledUpdateGroupActionRequest {
		return types.ScheduledUpdateGroupActionRequest{
			ScheduledActionName: &name, StartTime: &start, MaxSize: aws.Int32(5),
		}
	}
	put := must(c.BatchPutScheduledUpdateGroupAction(ctx, &autoscaling.BatchPutScheduledUpdateGroupActionInput{
		AutoScalingGroupName: aws.String("web"),
		ScheduledUpdateGroupActions: []types.ScheduledUpdateGroupActionRequest{
			once("once", noon.Add(time.Hour)),
			once("late", noon.Add(-time.Hour)),
			once("twice", noon.Add(time.Hour)),
		},
	}))(t).FailedScheduledUpdateGroupActions
	check(t, "number of failures", len(put), 2)
	check(t, "ScheduledActionName", *put[0].ScheduledActionName, "late")
	check(t, "ErrorCode", *put[1].ErrorCode, "AlreadyExists")
	soon := must(c.DescribeScheduledActions(ctx, &autoscaling.DescribeScheduledActionsInput{
		EndTime: aws.Time(noon.Add(90 * time.Minute)),
	}))(t).ScheduledUpdateGroupActions
	check(t, "number of actions within 90 minutes", len(soon), 1)
	all := must(c.DescribeScheduledActions(ctx, &autoscaling.DescribeScheduledActionsInput{
		AutoScalingGroupName: aws.String("web"),
	}))(t).ScheduledUpdateGroupActions
	check(t, "number of actions", len(all), 2)

	must(c.DeleteScheduledAction(ctx, &autoscaling.DeleteScheduledActionInput{
		AutoScalingGroupName: aws.String("web"), ScheduledActionName: aws.String("once"),
	}))(t)
	deleted := must(c.BatchDeleteScheduledAction(ctx, &autoscaling.BatchDeleteScheduledActionInput{
		AutoScalingGroupName: aws.String("web"), ScheduledActionNames: []string{"morning", "once"},
	}))(t).FailedScheduledActions
	check(t, "number of failures", len(deleted), 1)
	if message := *deleted[0].ErrorMessage; !strings.Contains(message, "not found") {
		t.Errorf("ErrorMessage is %s", message)
	}
}

func TestPutScheduledActionRefusesInvalidRequests(t *testing.T) {
	c, _ := serveGroup(t)
	for text, in := range map[string]autoscaling.PutScheduledUpdateGroupActionInput{
		"At least one of":                       {StartTime: aws.Time(noon.Add(time.Hour))},
		"recurrence string: 0 9 * * is invalid": {Recurrence: aws.String("0 9 * *"), MinSize: aws.Int32(1)},
		"time zone: Mars/North": {
			Recurrence: aws.String("0 9 * * *"), TimeZone: aws.String("Mars/North"), MinSize: aws.Int32(1),
		},
		"StartTime and Recurrence": {MinSize: aws.Int32(1)},
		"min bound": {
			Recurrence: aws.String("0 9 * * *"), MinSize: aws.Int32(3), MaxSize: aws.Int32(2),
		},
		"never run": {Recurrence: aws.String("0 9 31 2 *"), MinSize: aws.Int32(1)},
	} {
		in.AutoScalingGroupName, in.ScheduledActionName = aws.String("web"), aws.String("wrong")
		_, err := c.PutScheduledUpdateGroupAction(t.Context(), &in)
		wantError(t, err, "ValidationError", text)
	}
}

// putMorning schedules an action at 9 o'clock on workdays in New York.
func putMorning(t *testing.T, c *autoscaling.Client) {
	t.Helper()
	must(c.PutScheduledUpdateGroupAction(t.Context(), &autoscaling.PutScheduledUpdateGroupActionInput{
		AutoScalingGroupName: aws.String("web"), ScheduledActionName: aws.String("morning"),
		Recurrence: aws.String("0 9 * * MON-FRI"), TimeZone: aws.String("America/New_York"),
		MinSize: aws.Int32(3), DesiredCapacity: aws.Int32(4),
	}))(t)
}
