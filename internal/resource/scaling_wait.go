package resource

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
)

// servingLimit is how long a group may take until all its machines serve.
const servingLimit = 15 * time.Minute

// sameFailures is how many activities that fail alike are enough to know that the
// next one would fail too.
const sameFailures = 3

// serving waits until as many machines as a group wants serve behind the load
// balancer.
func (s *Site) serving(ctx context.Context, address, name, target string, seen *watched) error {
	last := ""
	err := awsapi.Wait(ctx, servingLimit, "the machines of "+name+" to serve", func(ctx context.Context) (bool, error) {
		g, members, err := s.look(ctx, name, target)
		if err != nil {
			return false, err
		}
		seen.see(members, time.Now())
		if last = g.condition(members); last == "healthy" && settled(g) {
			return true, nil
		}
		activities, err := s.Activities(ctx, name, 20)
		if err != nil {
			return false, err
		}
		if err := failing(address, activities, seen.began); err != nil {
			return false, err
		}
		doing := ""
		if len(activities) > 0 && activities[0].StatusCode != types.ScalingActivityStatusCodeSuccessful {
			doing = ": " + strings.TrimSuffix(aws.ToString(activities[0].Description), ".")
		}
		s.progress(address, "%s%s", last, doing)
		return false, nil
	})
	var late *awsapi.TimeoutError
	if errors.As(err, &late) {
		return s.evidence(
			ctx,
			&diag.Diagnostic{
				Where:   address,
				Summary: fmt.Sprintf("of the machines of %s only %s after %s", name, last, servingLimit),
				Hint:    "see what the application says: aloft logs; check load_balancer.health in aloft.yaml",
				Cause:   err,
			},
			name,
		)
	}
	return err
}

// settled tells that a group has neither too many machines nor too few.
func settled(g scalingGroup) bool {
	n := 0
	for _, i := range g.raw.Instances {
		if i.LifecycleState != types.LifecycleStateStandby && i.LifecycleState != types.LifecycleStateEnteringStandby {
			n++
		}
	}
	return n == int(aws.ToInt32(g.raw.DesiredCapacity))
}

// look gives a group and its machines with their health.
func (s *Site) look(ctx context.Context, name, target string) (scalingGroup, []plan.Found, error) {
	g, ok, err := s.group(ctx, name)
	if err != nil {
		return g, nil, err
	}
	if !ok {
		return g, nil, &diag.Diagnostic{
			Where:   name,
			Summary: "the Auto Scaling group is gone",
			Hint:    "run aloft up again: it makes another",
		}
	}
	health, err := s.ELB.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &target})
	if err != nil {
		return g, nil, fmt.Errorf("look at the health of the machines of %s: %w", name, err)
	}
	states := map[string]string{}
	for _, h := range health.TargetHealthDescriptions {
		states[aws.ToString(h.Target.Id)] = string(h.TargetHealth.State)
	}
	var members []plan.Found
	for _, i := range g.raw.Instances {
		f := plan.Found{
			ID: aws.ToString(i.InstanceId),
			Status: map[string]string{
				"lifecycle":    string(i.LifecycleState),
				"group health": aws.ToString(i.HealthStatus),
			},
		}
		f.Status["health"] = states[f.ID]
		if i.LaunchTemplate != nil {
			f.Status["version"] = aws.ToString(i.LaunchTemplate.Version)
		}
		members = append(members, f)
	}
	return g, members, nil
}

// watched measures how long machines take from when they are first seen on their
// way in to when they are healthy.
type watched struct {
	began   time.Time
	born    time.Time // when all machines were launched at the earliest; zero: some were there before
	first   map[string]time.Time
	waiting map[string]bool
	longest time.Duration // 0: none was seen to become healthy
}

func newWatched(began time.Time) *watched {
	return &watched{began: began, first: map[string]time.Time{}, waiting: map[string]bool{}}
}

func (w *watched) see(members []plan.Found, now time.Time) {
	for _, m := range members {
		if _, seen := w.first[m.ID]; !seen {
			w.first[m.ID], w.waiting[m.ID] = now, true
			if !w.born.IsZero() {
				w.first[m.ID] = w.born
			} else if m.Status["health"] == "healthy" {
				w.waiting[m.ID] = false
			}
		}
		if m.Status["health"] == "healthy" && w.waiting[m.ID] {
			w.waiting[m.ID] = false
			w.longest = max(w.longest, now.Sub(w.first[m.ID]))
		}
	}
}

// Activities are the youngest of a group, the youngest first.
func (c *Cloud) Activities(ctx context.Context, name string, most int32) ([]types.Activity, error) {
	list, err := c.ASG.DescribeScalingActivities(
		ctx,
		&autoscaling.DescribeScalingActivitiesInput{AutoScalingGroupName: &name, MaxRecords: &most},
	)
	if goneFrom(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the activities of %s: %w", name, err)
	}
	return list.Activities, nil
}

// failing tells why a group does not come to serve, when its last activities have
// all failed for the same reason.
func failing(address string, activities []types.Activity, since time.Time) error {
	why, n := "", 0
	for _, a := range activities {
		if a.StatusCode == types.ScalingActivityStatusCodeInProgress ||
			a.StatusCode == types.ScalingActivityStatusCodePreInService {
			continue
		}
		message := aws.ToString(a.StatusMessage)
		if a.StatusCode != types.ScalingActivityStatusCodeFailed ||
			aws.ToTime(a.StartTime).Before(since.Add(-time.Second)) ||
			n > 0 && message != why {
			break
		}
		why = message
		n++
	}
	if n < sameFailures {
		return nil
	}
	return &diag.Diagnostic{
		Where:   address,
		Summary: fmt.Sprintf("the group could not launch a machine %d times in a row", n),
		Detail:  why,
		Hint:    "set right what the reason names: the group goes on trying by itself; then run aloft up again",
	}
}

// evidence adds to a problem what a group did last.
func (s *Site) evidence(ctx context.Context, d *diag.Diagnostic, name string) error {
	activities, err := s.Activities(context.WithoutCancel(ctx), name, 5)
	if err != nil {
		return d
	}
	var lines []string
	if d.Detail != "" {
		lines = append(lines, d.Detail)
	}
	for _, a := range activities {
		line := fmt.Sprintf("%s: %s", a.StatusCode, strings.TrimSuffix(aws.ToString(a.Description), "."))
		if message := aws.ToString(a.StatusMessage); message != "" {
			line += ": " + message
		} else if cause := aws.ToString(a.Cause); cause != "" {
			line += ". " + cause
		}
		lines = append(lines, line)
	}
	d.Detail = strings.Join(lines, "\n")
	return d
}
