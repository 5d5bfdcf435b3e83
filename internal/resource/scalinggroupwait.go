package resource

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// servingLimit is how long a group may take until all its instances serve, besides the
// time in which surplus ones finish their requests.
const servingLimit = 15 * time.Minute

// waitServing waits until the desired number of a group's instances serves behind
// the load balancer.
func (p *Provisioner) waitServing(ctx context.Context, address, name, target string, times *bootTimes) error {
	drain, err := p.drainTime(ctx, []string{target})
	if err != nil {
		return err
	}
	last, limit := "", servingLimit+drain
	what := "the instances of " + name + " to serve"
	err = awsapi.Wait(ctx, limit, what, func(ctx context.Context) (bool, error) {
		g, members, ok, err := p.groupHealth(ctx, name, target)
		if err != nil || !ok && time.Since(times.began) < eventualLimit {
			return false, err // it may have been created a moment ago
		}
		if !ok {
			return false, &diag.Diagnostic{
				Where:   name,
				Summary: "the Auto Scaling group is gone",
				Hint:    "run aloft up again: it creates another",
			}
		}
		times.observe(members, time.Now())
		if last = g.condition(members); last == stack.Healthy && g.hasDesiredCapacity() {
			return true, nil
		}
		activities, err := p.Activities(ctx, name, recentActivities)
		if err != nil {
			return false, err
		}
		if err := g.launchFailure(address, activities, times.began); err != nil {
			return false, err
		}
		if last == stack.Healthy {
			p.progress(address, "surplus servers finish their requests%s", upTo(drain))
			return false, nil
		}
		activity := ""
		if len(activities) > 0 && activities[0].StatusCode != types.ScalingActivityStatusCodeSuccessful {
			activity = ": " + strings.TrimSuffix(aws.ToString(activities[0].Description), ".")
		}
		p.progress(address, "%s%s", last, activity)
		return false, nil
	})
	var late *awsapi.TimeoutError
	if !errors.As(err, &late) {
		return err
	}
	return p.withActivities(ctx, &diag.Diagnostic{
		Where:   address,
		Summary: fmt.Sprintf("of the servers of %s, only %s after %s", name, last, limit),
		Hint:    "see what the application says: aloft logs; check load_balancer.health in aloft.yaml",
		Cause:   err,
	}, name)
}

// hasDesiredCapacity reports whether a group has exactly the desired number of
// instances, apart from those in standby.
func (g scalingGroup) hasDesiredCapacity() bool {
	n := 0
	for _, i := range g.raw.Instances {
		if i.LifecycleState != types.LifecycleStateStandby && i.LifecycleState != types.LifecycleStateEnteringStandby {
			n++
		}
	}
	return n == int(aws.ToInt32(g.raw.DesiredCapacity))
}

// groupHealth returns a group and its instances with their health. ok is false if there
// is no such group.
func (p *Provisioner) groupHealth(
	ctx context.Context, name, target string,
) (g scalingGroup, members []plan.Found, ok bool, err error) {
	if g, ok, err = p.scalingGroup(ctx, name); err != nil || !ok {
		return g, nil, ok, err
	}
	health, err := p.ELB.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &target})
	if err != nil {
		return g, nil, ok, fmt.Errorf("read the health of the instances of %s: %w", name, err)
	}
	states := map[string]string{}
	for _, h := range health.TargetHealthDescriptions {
		states[aws.ToString(h.Target.Id)] = string(h.TargetHealth.State)
	}
	for _, i := range g.raw.Instances {
		f := plan.Found{ID: aws.ToString(i.InstanceId)}
		f.Status.Lifecycle, f.Status.GroupHealth = string(i.LifecycleState), aws.ToString(i.HealthStatus)
		f.Status.Health = states[f.ID]
		if i.LaunchTemplate != nil {
			f.Status.TemplateVersion = aws.ToString(i.LaunchTemplate.Version)
		}
		members = append(members, f)
	}
	return g, members, ok, nil
}

// bootTimes measures how long instances take from when they are first seen to when
// they are healthy.
type bootTimes struct {
	began         time.Time
	launchedAfter time.Time // earliest launch of all instances; zero if some existed before
	first         map[string]time.Time
	waiting       map[string]bool
	longest       time.Duration // 0 if no instance was seen to become healthy
}

func newBootTimes(began time.Time) *bootTimes {
	return &bootTimes{began: began, first: map[string]time.Time{}, waiting: map[string]bool{}}
}

// observe records the health of all instances at a time.
func (t *bootTimes) observe(members []plan.Found, now time.Time) {
	for _, m := range members {
		healthy := m.Status.Healthy()
		if _, seen := t.first[m.ID]; !seen {
			t.first[m.ID], t.waiting[m.ID] = now, true
			if !t.launchedAfter.IsZero() {
				t.first[m.ID] = t.launchedAfter
			} else if healthy {
				t.waiting[m.ID] = false
			}
		}
		if healthy && t.waiting[m.ID] {
			t.waiting[m.ID] = false
			t.longest = max(t.longest, now.Sub(t.first[m.ID]))
		}
	}
}
