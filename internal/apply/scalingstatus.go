package apply

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// Scaling is the status of an Auto Scaling group: its sizes, what it did last and
// what it will do next.
type Scaling struct {
	Group      string            `json:"group"`
	Min        int               `json:"min"`
	Max        int               `json:"max"`
	Desired    int               `json:"desired"`
	Cost       string            `json:"cost"` // of the desired instances: "about $36 a month"; "" if unknown
	Policy     *ScalingPolicy    `json:"policy"`
	Schedules  []ScalingSchedule `json:"schedules"`
	Refresh    *ScalingRefresh   `json:"refresh"` // the active instance refresh
	Activities []ScalingActivity `json:"activities"`
}

// ScalingPolicy is a target tracking policy.
type ScalingPolicy struct {
	Metric string         `json:"metric"` // "cpu", "requests_per_target"
	Target float64        `json:"target"`
	Value  *float64       `json:"value"` // of the last minute; null if nothing was measured yet
	Alarms []ScalingAlarm `json:"alarms"`
	Next   string         `json:"next"` // forecast for people
}

// ScalingAlarm is an alarm of a policy. It acts when enough of the last minutes are
// beyond the threshold.
type ScalingAlarm struct {
	Name      string  `json:"name"`
	State     string  `json:"state"` // "OK", "ALARM", "INSUFFICIENT_DATA"
	High      bool    `json:"high"`  // it adds instances; otherwise it removes some
	Threshold float64 `json:"threshold"`
	Beyond    int     `json:"beyond"` // consecutive last minutes beyond the threshold
	Needed    int     `json:"needed"`
}

// ScalingSchedule is a schedule and its next time.
type ScalingSchedule struct {
	Cron     string `json:"cron"`
	Timezone string `json:"timezone"`
	Next     string `json:"next"`
	Sizes    string `json:"sizes"`
}

// ScalingRefresh is the progress of an instance refresh.
type ScalingRefresh struct {
	Status  string `json:"status"`
	Percent int    `json:"percent"`
	Left    int    `json:"left"`
	Reason  string `json:"reason"`
}

// ScalingActivity is one scaling activity.
type ScalingActivity struct {
	Status      string    `json:"status"`
	Description string    `json:"description"`
	Cause       string    `json:"cause"`
	Message     string    `json:"message"`
	Started     time.Time `json:"started"`
	Ended       time.Time `json:"ended,omitzero"`
}

// shownActivities is how many activities a status shows.
const shownActivities = 8

// scaling returns the status of the Auto Scaling group, or nil if there is none.
func (d *Deployment) scaling(ctx context.Context, found []plan.Found) (*Scaling, error) {
	i := slices.IndexFunc(found, func(f plan.Found) bool { return f.Kind == stack.KindScalingGroup })
	if i < 0 {
		return nil, nil
	}
	s := scalingOf(found[i], found, d.cfg.Region)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		activities, err := d.cloud.Activities(ctx, s.Group, shownActivities)
		for _, a := range activities {
			s.Activities = append(s.Activities, activityOf(a))
		}
		return err
	})
	group.Go(func() error {
		refresh, err := d.cloud.ActiveRefresh(ctx, s.Group)
		if refresh != nil {
			s.Refresh = &ScalingRefresh{
				Status:  string(refresh.Status),
				Percent: int(aws.ToInt32(refresh.PercentageComplete)),
				Left:    int(aws.ToInt32(refresh.InstancesToUpdate)),
				Reason:  aws.ToString(refresh.StatusReason),
			}
		}
		return err
	})
	if s.Policy != nil {
		group.Go(func() error { return d.readAlarms(ctx, s) })
	}
	if err := group.Wait(); err != nil {
		return nil, explain(stack.AddressScalingGroup, err)
	}
	if s.Policy != nil {
		s.Policy.Next = s.forecast()
	}
	return s, nil
}

// scalingOf returns the status of a group as far as the found resources show it.
func scalingOf(f plan.Found, found []plan.Found, region string) *Scaling {
	s := &Scaling{
		Group:      f.Name,
		Min:        toInt(f.Value(stack.AttrMin)),
		Max:        toInt(f.Value(stack.AttrMax)),
		Desired:    f.Status.DesiredCapacity,
		Schedules:  []ScalingSchedule{},
		Activities: []ScalingActivity{},
	}
	for _, part := range found {
		switch part.Kind {
		case stack.KindLaunchTemplate:
			s.Cost = stack.MonthlyCost(s.Desired, part.Value(stack.AttrType), region)
		case stack.KindScalingPolicy:
			s.Policy = policyOf(part)
		case stack.KindSchedule:
			s.Schedules = append(s.Schedules, scheduleOf(part))
		}
	}
	return s
}

func policyOf(f plan.Found) *ScalingPolicy {
	p := &ScalingPolicy{Metric: metricCPU, Alarms: []ScalingAlarm{}}
	if f.Value(stack.AttrMetric) == stack.MetricRequests {
		p.Metric = metricRequests
	}
	p.Target, _ = strconv.ParseFloat(f.Value(stack.AttrTargetValue), 64) // AWS returns a number
	return p
}

func scheduleOf(f plan.Found) ScalingSchedule {
	var sizes []string
	for _, key := range []stack.AttributeKey{stack.AttrMin, stack.AttrMax, stack.AttrDesired} {
		if value := f.Value(key); value != "0" {
			sizes = append(sizes, fmt.Sprintf("%s %s", key, value))
		}
	}
	return ScalingSchedule{
		Cron:     f.Value(stack.AttrCron),
		Timezone: f.Value(stack.AttrTimeZone),
		Next:     f.Status.NextRun,
		Sizes:    strings.Join(sizes, " "),
	}
}

func toInt(text string) int {
	n, _ := strconv.Atoi(text) // AWS returns a number
	return n
}

func activityOf(a types.Activity) ScalingActivity {
	return ScalingActivity{
		Status:      string(a.StatusCode),
		Description: aws.ToString(a.Description),
		Cause:       aws.ToString(a.Cause),
		Message:     aws.ToString(a.StatusMessage),
		Started:     aws.ToTime(a.StartTime),
		Ended:       aws.ToTime(a.EndTime),
	}
}
