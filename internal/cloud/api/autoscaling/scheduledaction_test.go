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
	ctx := t.Context()
	_, err := c.PutScheduledUpdateGroupAction(ctx, &autoscaling.PutScheduledUpdateGroupActionInput{
		AutoScalingGroupName: aws.String("web"),
		ScheduledActionName:  aws.String("morning"),
		Recurrence:           aws.String("0 9 * * MON-FRI"),
		TimeZone:             aws.String("America/New_York"),
		MinSize:              aws.Int32(3),
		DesiredCapacity:      aws.Int32(4),
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.BatchPutScheduledUpdateGroupAction(ctx, &autoscaling.BatchPutScheduledUpdateGroupActionInput{
		AutoScalingGroupName: aws.String("web"),
		ScheduledUpdateGroupActions: []types.ScheduledUpdateGroupActionRequest{
			{
				ScheduledActionName: aws.String("once"),
				StartTime:           aws.Time(noon.Add(time.Hour)),
				MaxSize:             aws.Int32(5),
			},
			{
				ScheduledActionName: aws.String("late"),
				StartTime:           aws.Time(noon.Add(-time.Hour)),
				MaxSize:             aws.Int32(5),
			},
			{
				ScheduledActionName: aws.String("twice"),
				StartTime:           aws.Time(noon.Add(time.Hour)),
				MaxSize:             aws.Int32(6),
			},
		},
	})
	if err != nil || len(out.FailedScheduledUpdateGroupActions) != 2 ||
		*out.FailedScheduledUpdateGroupActions[0].ScheduledActionName != "late" ||
		*out.FailedScheduledUpdateGroupActions[1].ErrorCode != "AlreadyExists" {
		t.Fatalf("%+v %v", out, err)
	}
	got, err := c.DescribeScheduledActions(
		ctx,
		&autoscaling.DescribeScheduledActionsInput{AutoScalingGroupName: aws.String("web")},
	)
	if err != nil || len(got.ScheduledUpdateGroupActions) != 2 {
		t.Fatalf("%+v %v", got, err)
	}
	m := got.ScheduledUpdateGroupActions[0]
	if *m.ScheduledActionName != "morning" || !m.StartTime.Equal(noon.Add(2*time.Hour)) ||
		*m.TimeZone != "America/New_York" ||
		*m.MinSize != 3 ||
		m.MaxSize != nil ||
		*m.DesiredCapacity != 4 ||
		!strings.HasSuffix(*m.ScheduledActionARN, ":autoScalingGroupName/web:scheduledActionName/morning") {
		t.Errorf("%+v", m)
	}
	soon, err := c.DescribeScheduledActions(
		ctx,
		&autoscaling.DescribeScheduledActionsInput{EndTime: aws.Time(noon.Add(90 * time.Minute))},
	)
	if err != nil || len(soon.ScheduledUpdateGroupActions) != 1 {
		t.Errorf("%+v %v", soon, err)
	}
	for _, tc := range []struct {
		words string
		in    autoscaling.PutScheduledUpdateGroupActionInput
	}{
		{"At least one of", autoscaling.PutScheduledUpdateGroupActionInput{StartTime: aws.Time(noon.Add(time.Hour))}},
		{
			"recurrence string: 0 9 * * is invalid",
			autoscaling.PutScheduledUpdateGroupActionInput{Recurrence: aws.String("0 9 * *"), MinSize: aws.Int32(1)},
		},
		{
			"time zone: Mars/North",
			autoscaling.PutScheduledUpdateGroupActionInput{
				Recurrence: aws.String("0 9 * * *"), TimeZone: aws.String("Mars/North"), MinSize: aws.Int32(1),
			},
		},
		{"StartTime and Recurrence", autoscaling.PutScheduledUpdateGroupActionInput{MinSize: aws.Int32(1)}},
		{
			"min bound",
			autoscaling.PutScheduledUpdateGroupActionInput{
				Recurrence: aws.String("0 9 * * *"), MinSize: aws.Int32(3), MaxSize: aws.Int32(2),
			},
		},
		{
			"never run",
			autoscaling.PutScheduledUpdateGroupActionInput{Recurrence: aws.String("0 9 31 2 *"), MinSize: aws.Int32(1)},
		},
	} {
		tc.in.AutoScalingGroupName, tc.in.ScheduledActionName = aws.String("web"), aws.String("wrong")
		_, err := c.PutScheduledUpdateGroupAction(ctx, &tc.in)
		wantError(t, err, "ValidationError", tc.words)
	}
	if _, err := c.DeleteScheduledAction(ctx, &autoscaling.DeleteScheduledActionInput{
		AutoScalingGroupName: aws.String("web"), ScheduledActionName: aws.String("once"),
	}); err != nil {
		t.Error(err)
	}
	gone, err := c.BatchDeleteScheduledAction(ctx, &autoscaling.BatchDeleteScheduledActionInput{
		AutoScalingGroupName: aws.String("web"),
		ScheduledActionNames: []string{"morning", "once"},
	})
	if err != nil || len(gone.FailedScheduledActions) != 1 ||
		!strings.Contains(*gone.FailedScheduledActions[0].ErrorMessage, "not found") {
		t.Errorf("%+v %v", gone, err)
	}
}
