package resource

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

var scheduleKind = kind{
	name:   stack.KindSchedule,
	find:   findOfEachGroup((*Cloud).schedules),
	create: created((*Provisioner).createSchedule),
	update: updated((*Provisioner).replaceSchedule),
	remove: (*Provisioner).deleteSchedule,
}

type scheduleAPI interface {
	DescribeScheduledActions(
		context.Context, *autoscaling.DescribeScheduledActionsInput, ...func(*autoscaling.Options),
	) (*autoscaling.DescribeScheduledActionsOutput, error)
	PutScheduledUpdateGroupAction(
		context.Context, *autoscaling.PutScheduledUpdateGroupActionInput, ...func(*autoscaling.Options),
	) (*autoscaling.PutScheduledUpdateGroupActionOutput, error)
	DeleteScheduledAction(
		context.Context, *autoscaling.DeleteScheduledActionInput, ...func(*autoscaling.Options),
	) (*autoscaling.DeleteScheduledActionOutput, error)
}

// schedules returns the scheduled actions of a group that have a name of the
// application. Others are users' own.
func (c *Cloud) schedules(ctx context.Context, group string) ([]plan.Found, error) {
	list, err := collect(
		ctx,
		autoscaling.NewDescribeScheduledActionsPaginator(c.ASG, &autoscaling.DescribeScheduledActionsInput{
			AutoScalingGroupName: &group,
		}),
		func(page *autoscaling.DescribeScheduledActionsOutput) []types.ScheduledUpdateGroupAction {
			return page.ScheduledUpdateGroupActions
		},
	)
	if err != nil {
		return nil, ignoreNotFound("list the schedules of "+group, err)
	}
	all := describe(list, describeSchedule)
	for i := range all {
		all[i].Address = strings.TrimPrefix(all[i].Name, stack.ScheduleName(c.App, ""))
	}
	others := func(f plan.Found) bool { return !strings.HasPrefix(f.Name, stack.ScheduleName(c.App, "schedule-")) }
	return slices.DeleteFunc(all, others), nil
}

func describeSchedule(a types.ScheduledUpdateGroupAction) plan.Found {
	f := plan.Found{
		Kind: stack.KindSchedule, ID: aws.ToString(a.ScheduledActionARN), Name: aws.ToString(a.ScheduledActionName),
	}
	f.Set(stack.AttrGroup, aws.ToString(a.AutoScalingGroupName))
	f.Set(stack.AttrCron, aws.ToString(a.Recurrence))
	f.Set(stack.AttrTimeZone, aws.ToString(a.TimeZone))
	f.Set(stack.AttrMin, number(a.MinSize))
	f.Set(stack.AttrMax, number(a.MaxSize))
	f.Set(stack.AttrDesired, number(a.DesiredCapacity))
	if a.StartTime != nil {
		f.Status.NextRun = a.StartTime.UTC().Format("2006-01-02 15:04 MST")
	}
	return f
}

// createSchedule creates a scheduled action, or sets the sizes of the one of its
// name.
func (p *Provisioner) createSchedule(ctx context.Context, r stack.Resource, body stack.Schedule) (plan.Found, error) {
	f := plan.Found{Address: r.Address, Kind: stack.KindSchedule, Name: body.ActionName}
	err := retryEventual(ctx, "set schedule "+body.ActionName, func(ctx context.Context) error {
		_, err := p.ASG.PutScheduledUpdateGroupAction(ctx, &autoscaling.PutScheduledUpdateGroupActionInput{
			AutoScalingGroupName: p.id(body.Group),
			ScheduledActionName:  &body.ActionName,
			Recurrence:           &body.Cron,
			TimeZone:             &body.TimeZone,
			MinSize:              groupSize(body.Min),
			MaxSize:              groupSize(body.Max),
			DesiredCapacity:      groupSize(body.Desired),
		})
		return err
	})
	return f, err
}

// replaceSchedule deletes the current scheduled action before it creates the desired
// one, because a put keeps the sizes that it does not set.
func (p *Provisioner) replaceSchedule(
	ctx context.Context,
	r stack.Resource,
	body stack.Schedule,
	current plan.Found,
) error {
	if err := p.deleteSchedule(ctx, current); err != nil {
		return err
	}
	_, err := p.createSchedule(ctx, r, body)
	return err
}

func (p *Provisioner) deleteSchedule(ctx context.Context, f plan.Found) error {
	_, err := p.ASG.DeleteScheduledAction(ctx, &autoscaling.DeleteScheduledActionInput{
		AutoScalingGroupName: aws.String(f.Value(stack.AttrGroup)), ScheduledActionName: &f.Name,
	})
	return ignoreScalingNotFound("delete schedule "+f.Name, err)
}
