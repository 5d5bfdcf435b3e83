package apply

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// Scaling is how a group stands, what it did last and what it will do next.
type Scaling struct {
	Group      string            `json:"group"`
	Min        int               `json:"min"`
	Max        int               `json:"max"`
	Desired    int               `json:"desired"`
	Cost       string            `json:"cost"` // of the machines desired: "about $36 a month"; "" when the price is not known
	Policy     *ScalingPolicy    `json:"policy"`
	Schedules  []ScalingSchedule `json:"schedules"`
	Refresh    *ScalingRefresh   `json:"refresh"` // the replacing of machines that is under way
	Activities []ScalingActivity `json:"activities"`
}

// ScalingPolicy is what the number of machines follows.
type ScalingPolicy struct {
	Metric string         `json:"metric"` // "cpu", "requests_per_target"
	Target float64        `json:"target"`
	Value  *float64       `json:"value"` // of the last minute; null when nothing was measured yet
	Alarms []ScalingAlarm `json:"alarms"`
	Next   string         `json:"next"` // for people
}

// ScalingAlarm is an alarm that a policy made: it acts when enough of the last
// minutes are beyond the threshold.
type ScalingAlarm struct {
	Name      string  `json:"name"`
	State     string  `json:"state"` // "OK", "ALARM", "INSUFFICIENT_DATA"
	High      bool    `json:"high"`  // it adds machines; else it takes some away
	Threshold float64 `json:"threshold"`
	Beyond    int     `json:"beyond"` // minutes beyond the threshold, of those last measured in a row
	Needed    int     `json:"needed"`
}

// ScalingSchedule is a schedule and when it is due.
type ScalingSchedule struct {
	Cron     string `json:"cron"`
	Timezone string `json:"timezone"`
	Next     string `json:"next"`
	Sizes    string `json:"sizes"`
}

// ScalingRefresh is how far the replacing of machines is.
type ScalingRefresh struct {
	Status  string `json:"status"`
	Percent int    `json:"percent"`
	Left    int    `json:"left"`
	Reason  string `json:"reason"`
}

// ScalingActivity is one thing that the group did.
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

// scaling looks at the group among what was found; nil: there is none.
func (d *Deployment) scaling(ctx context.Context, found []plan.Found) (*Scaling, error) {
	i := slices.IndexFunc(found, func(f plan.Found) bool { return f.Kind == stack.KindScalingGroup })
	if i < 0 {
		return nil, nil
	}
	s := scalingOf(found[i], found)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		activities, err := d.cloud.Activities(ctx, s.Group, shownActivities)
		for _, a := range activities {
			s.Activities = append(s.Activities, activityOf(a))
		}
		return err
	})
	group.Go(func() error {
		refresh, err := d.cloud.Refresh(ctx, s.Group)
		if refresh != nil {
			s.Refresh = &ScalingRefresh{
				string(refresh.Status),
				int(aws.ToInt32(refresh.PercentageComplete)),
				int(aws.ToInt32(refresh.InstancesToUpdate)),
				aws.ToString(refresh.StatusReason),
			}
		}
		return err
	})
	if s.Policy != nil {
		group.Go(func() error { return d.alarms(ctx, s) })
	}
	if err := group.Wait(); err != nil {
		return nil, explain(stack.AddressScalingGroup, err)
	}
	if s.Policy != nil {
		s.Policy.Next = s.outlook()
	}
	return s, nil
}

// scalingOf is what was found of a group.
func scalingOf(f plan.Found, found []plan.Found) *Scaling {
	s := &Scaling{
		Group:      f.Name,
		Min:        whole(f.Get("min")),
		Max:        whole(f.Get("max")),
		Desired:    whole(f.Status["desired"]),
		Schedules:  []ScalingSchedule{},
		Activities: []ScalingActivity{},
	}
	for _, part := range found {
		switch part.Kind {
		case stack.KindLaunchTemplate:
			s.Cost = stack.MonthlyCost(s.Desired, part.Get("type"))
		case stack.KindScalingPolicy:
			s.Policy = &ScalingPolicy{Metric: "cpu", Alarms: []ScalingAlarm{}}
			if part.Get("metric") == stack.MetricRequests {
				s.Policy.Metric = "requests_per_target"
			}
			s.Policy.Target, _ = strconv.ParseFloat(part.Get("value"), 64) // AWS gives a number
		case stack.KindSchedule:
			sizes := ""
			for _, name := range []string{"min", "max", "desired"} {
				if value := part.Get(name); value != "0" {
					sizes += fmt.Sprintf(" %s %s", name, value)
				}
			}
			s.Schedules = append(
				s.Schedules,
				ScalingSchedule{
					part.Get("cron"),
					part.Get("time zone"),
					part.Status["next"],
					sizes[min(1, len(sizes)):],
				},
			)
		}
	}
	return s
}

func whole(text string) int {
	n, _ := strconv.Atoi(text) // AWS gives a number
	return n
}

func activityOf(a types.Activity) ScalingActivity {
	return ScalingActivity{
		Status: string(
			a.StatusCode,
		), Description: aws.ToString(a.Description), Cause: aws.ToString(a.Cause), Message: aws.ToString(a.StatusMessage),
		Started: aws.ToTime(a.StartTime), Ended: aws.ToTime(a.EndTime),
	}
}
