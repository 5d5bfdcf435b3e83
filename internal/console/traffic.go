package console

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/inventory"
)

const (
	trafficTime   = 30 * time.Minute
	trafficPeriod = time.Minute
)

// Traffic describes what passed through one load balancer, or its node in one zone, in the last half
// hour.
type Traffic struct {
	Balancer, Zone string
	ID             string // of the load balancer
	Requests       Series // per second
	Errors         Series // per second, answers of targets and of the load balancer itself
	Median, P99    Series // milliseconds until a target answered
}

// measure is one statistic of a load balancer's metric.
type measure struct {
	metric, statistic string
	scale             float64 // of the values
	into              func(*Traffic) *Series
}

var measures = []measure{
	{"RequestCount", "Sum", 1 / trafficPeriod.Seconds(), func(t *Traffic) *Series { return &t.Requests }},
	{"HTTPCode_Target_5XX_Count", "Sum", 1 / trafficPeriod.Seconds(), func(t *Traffic) *Series { return &t.Errors }},
	{"HTTPCode_ELB_5XX_Count", "Sum", 1 / trafficPeriod.Seconds(), func(t *Traffic) *Series { return &t.Errors }},
	{"TargetResponseTime", "p50", 1000, func(t *Traffic) *Series { return &t.Median }},
	{"TargetResponseTime", "p99", 1000, func(t *Traffic) *Series { return &t.P99 }},
}

// traffic reads what passed through the load balancers lately, in all and by zones.
func (c *Console) traffic(r *http.Request, all *inventory.Inventory) ([]*Traffic, error) {
	return c.trafficOf(r, all, c.Now().Truncate(trafficPeriod), trafficTime, true)
}

// trafficOf reads what passed through the load balancers for a time until end.
func (c *Console) trafficOf(
	r *http.Request, i *inventory.Inventory, end time.Time, span time.Duration, byZone bool,
) ([]*Traffic, error) {
	var rows []*Traffic
	var all []statistic
	for _, lb := range i.LoadBalancers {
		_, dimension, _ := strings.Cut(aws.ToString(lb.LoadBalancerArn), "loadbalancer/")
		zones := []string{""}
		for _, z := range lb.AvailabilityZones {
			if byZone {
				zones = append(zones, aws.ToString(z.ZoneName))
			}
		}
		slices.Sort(zones)
		for _, zone := range zones {
			if len(all)+len(measures) > maxQueries {
				break
			}
			row := &Traffic{
				Balancer: aws.ToString(lb.LoadBalancerName), Zone: zone, ID: aws.ToString(lb.LoadBalancerArn),
			}
			rows = append(rows, row)
			dimensions := []types.Dimension{{Name: aws.String("LoadBalancer"), Value: &dimension}}
			if zone != "" {
				dimensions = append(dimensions, types.Dimension{Name: aws.String("AvailabilityZone"), Value: &zone})
			}
			for _, m := range measures {
				all = append(all, statistic{
					"AWS/ApplicationELB", m.metric, m.statistic, dimensions, m.scale, m.into(row),
				})
			}
		}
	}
	if err := c.readStatistics(r, all, end, span); err != nil {
		return nil, fmt.Errorf("read the traffic: %w", err)
	}
	return rows, nil
}

// Alarm is an alarm with its threshold.
type Alarm struct {
	Item

	Threshold string
	At        time.Time // when the state was last changed
	Reason    string
}

// Activity is something that an Auto Scaling group did.
type Activity struct {
	Group, Text, Cause, Status string
	At                         time.Time
	Progress                   int32
	Health                     Health
}

// events are the Auto Scaling groups, the alarms and the latest scaling activities.
type events struct {
	Groups     []ScalingGroup
	MoreGroups int // that are not shown
	Alarms     []Alarm
	Activities []Activity
}

// shownActivities is how many activities a page shows.
const shownActivities = 20

func (c *Console) events(r *http.Request) (found events, err error) {
	clients := c.clients(r.PathValue("region"))
	pages := cloudwatch.NewDescribeAlarmsPaginator(clients.cw, &cloudwatch.DescribeAlarmsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(r.Context())
		if err != nil {
			return found, fmt.Errorf("read the alarms: %w", err)
		}
		for _, a := range page.MetricAlarms {
			found.Alarms = append(found.Alarms, newAlarm(a))
		}
	}
	slices.SortStableFunc(found.Alarms, func(a, b Alarm) int { return cmp.Compare(a.Name, b.Name) })
	if found.Groups, found.MoreGroups, err = c.scalingGroups(r, clients); err != nil {
		return found, err
	}
	found.Activities, err = c.activities(r, clients, shownActivities)
	return found, err
}

// alarmHealth is the health of an alarm's states.
var alarmHealth = map[types.StateValue]Health{
	types.StateValueOk: Good, types.StateValueAlarm: Bad, types.StateValueInsufficientData: Waiting,
}

// comparisons are the signs of comparison operators.
var comparisons = map[types.ComparisonOperator]string{
	types.ComparisonOperatorGreaterThanOrEqualToThreshold: "≥", types.ComparisonOperatorGreaterThanThreshold: ">",
	types.ComparisonOperatorLessThanOrEqualToThreshold: "≤", types.ComparisonOperatorLessThanThreshold: "<",
}

// watchedBy returns what an alarm watches, and the length of its periods in seconds.
func watchedBy(a types.MetricAlarm) (what string, period int32) {
	what, period = cmp.Or(string(a.Statistic), aws.ToString(a.ExtendedStatistic))+" "+aws.ToString(a.MetricName),
		aws.ToInt32(a.Period)
	for _, q := range a.Metrics {
		if q.MetricStat != nil {
			period = cmp.Or(period, aws.ToInt32(q.MetricStat.Period))
		}
		if q.ReturnData == nil || *q.ReturnData {
			what = cmp.Or(aws.ToString(q.Label), aws.ToString(q.Expression), aws.ToString(q.Id))
		}
	}
	return what, period
}

func newAlarm(a types.MetricAlarm) Alarm {
	what, period := watchedBy(a)
	return Alarm{
		Item: Item{
			Kind: "alarm", ID: aws.ToString(a.AlarmArn), Name: aws.ToString(a.AlarmName),
			Health: alarmHealth[a.StateValue], State: string(a.StateValue),
		},
		Threshold: fmt.Sprintf("%s %s %s, %d times in %d of %d s", what,
			comparisons[a.ComparisonOperator], number(aws.ToFloat64(a.Threshold)),
			cmp.Or(aws.ToInt32(a.DatapointsToAlarm), aws.ToInt32(a.EvaluationPeriods)),
			aws.ToInt32(a.EvaluationPeriods), period),
		At: aws.ToTime(a.StateUpdatedTimestamp), Reason: aws.ToString(a.StateReason),
	}
}
