package capacity

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// The alarms of a target tracking policy are configured as those that AWS creates:
// three minutes above the target grow a group, fifteen minutes below nine tenths of
// the target shrink it.
const (
	highPeriods = 3
	lowPeriods  = 15
	lowPart     = 0.9
	alarmPeriod = 60
)

// scaleInPart is the largest part of a group that one evaluation removes, though at
// least one instance. The guide says that groups scale in more gradually than out and
// names no number.
const scaleInPart = 0.1

// Configuration is the configuration of a target tracking policy. Its JSON is that of
// the SDK's type.
type Configuration struct {
	TargetValue                   float64
	DisableScaleIn                *bool
	PredefinedMetricSpecification *struct {
		PredefinedMetricType string
		ResourceLabel        *string
	}
	CustomizedMetricSpecification *struct {
		MetricName, Namespace, Unit *string
		Statistic                   string
		Dimensions                  []store.MetricDimension
		Period                      *int32
		Metrics                     []alarm.Query
	}
}

// configurationOf decodes a policy's configuration.
func configurationOf(policy *store.ScalingPolicy) (c Configuration) {
	_ = json.Unmarshal([]byte(policy.TargetTracking), &c) // PutScalingPolicy encoded it
	return c
}

// scalesIn reports whether the policy removes instances.
func (c *Configuration) scalesIn() bool { return c.DisableScaleIn == nil || !*c.DisableScaleIn }

// watch returns an alarm on the policy's metric without a condition.
func (c *Configuration) watch(group string) store.Alarm {
	out := store.Alarm{Period: alarmPeriod, Statistic: "Average"}
	if p := c.PredefinedMetricSpecification; p != nil {
		out.Namespace, out.Metric = "AWS/EC2", strings.TrimPrefix(p.PredefinedMetricType, "ASGAverage")
		out.Dimensions = []store.MetricDimension{{Name: "AutoScalingGroupName", Value: group}}
		if p.PredefinedMetricType == "ALBRequestCountPerTarget" {
			lb, targets, _ := SplitLabel(*p.ResourceLabel)
			out.Namespace, out.Metric, out.Statistic = "AWS/ApplicationELB", "RequestCountPerTarget", "Sum"
			out.Dimensions = []store.MetricDimension{
				{Name: "TargetGroup", Value: targets},
				{Name: "LoadBalancer", Value: lb},
			}
		}
		return out
	}
	m := c.CustomizedMetricSpecification
	if len(m.Metrics) > 0 {
		return store.Alarm{Queries: alarm.EncodeQueries(m.Metrics, alarmPeriod)}
	}
	out.Namespace, out.Metric, out.Statistic, out.Dimensions = *m.Namespace, *m.MetricName, m.Statistic, m.Dimensions
	if m.Unit != nil {
		out.Unit = *m.Unit
	}
	if m.Period != nil {
		out.Period = *m.Period
	}
	return out
}

// SplitLabel splits a resource label: app/<name>/<id>/targetgroup/<name>/<id>.
func SplitLabel(label string) (loadBalancer, targetGroup string, ok bool) {
	parts := strings.Split(label, "/")
	if len(parts) != 6 || parts[0] != "app" || parts[3] != "targetgroup" || slices.Contains(parts, "") {
		return "", "", false
	}
	return strings.Join(parts[:3], "/"), strings.Join(parts[3:], "/"), true
}

// SameMetric reports whether two policies track the same metric. A group may not have
// two such policies.
func SameMetric(a, b *store.ScalingPolicy) bool {
	x, y := configurationOf(a), configurationOf(b)
	left, right := x.watch(a.Group), y.watch(b.Group)
	watched := alarm.WatchedBy(&left)
	if watched.Expression != "" {
		return left.Queries == right.Queries
	}
	return watched == alarm.WatchedBy(&right)
}

// ReplaceAlarms deletes the alarms of a policy and, if it is a target tracking policy,
// creates new ones. It changes the row, which the caller then puts.
func ReplaceAlarms(tx *store.Tx, policy *store.ScalingPolicy, ids *identity.Source, now time.Time) {
	scalinggroup.DeletePolicyAlarms(tx, policy, now)
	policy.Alarms = nil
	if policy.Type != Tracking {
		return
	}
	c := configurationOf(policy)
	add := func(kind, comparison string, threshold float64, periods int32) {
		row := c.watch(policy.Group)
		row.Region, row.Name = policy.Region, "TargetTracking-"+policy.Group+"-"+kind+"-"+ids.UUID()
		row.Description = "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy " + policy.ARN + "."
		row.AlarmActions, row.Comparison, row.Threshold, row.EvaluationPeriods = []string{
			policy.ARN,
		}, comparison, threshold, periods
		alarm.Put(tx, &row, now)
		policy.Alarms = append(policy.Alarms, row.Name)
	}
	add(high, "GreaterThanThreshold", c.TargetValue, highPeriods)
	if c.scalesIn() {
		add(low, "LessThanThreshold", lowPart*c.TargetValue, lowPeriods)
	}
}

// Kinds of alarms of target tracking policies, as their names contain them.
const (
	high = "AlarmHigh"
	low  = "AlarmLow"
)

// alarmsOf returns the names of a target tracking policy's alarms. shrink is empty if
// the policy does not scale in.
func alarmsOf(policy *store.ScalingPolicy) (grow, shrink string) {
	switch len(policy.Alarms) {
	case 0:
		return "", ""
	case 1:
		return policy.Alarms[0], ""
	}
	return policy.Alarms[0], policy.Alarms[1]
}

// track carries out a target tracking policy: it changes the capacity in proportion to
// the metric and its target (Target tracking scaling policies).
func (p Policies) track(
	tx *store.Tx,
	group *store.ScalingGroup,
	policy *store.ScalingPolicy,
	f alarm.Firing,
	because string,
) error {
	c := configurationOf(policy)
	has := takeCensus(tx, group, policyWarmup(group, policy), f.At)
	switch grow, shrink := alarmsOf(policy); f.Alarm.Name {
	default:
		return errors.New("the alarm does not belong to the policy")
	case shrink:
	case grow:
		current := has.warm
		if current == 0 {
			current = has.inService
		}
		if wanted := proportional(current, f.Values[0], c.TargetValue); wanted > int(group.Desired) {
			setDesired(tx, group, wanted, because, f.At)
		}
		return nil
	}
	if has.growing() || !c.scalesIn() {
		return nil
	}
	wanted := proportional(has.inService+has.leaving, f.Values[0], c.TargetValue)
	others, ready := p.othersDesired(tx, group, policy, f.At)
	if !ready {
		return nil
	}
	least := int(group.Desired) - max(1, int(math.Floor(scaleInPart*float64(group.Desired))))
	if wanted = max(wanted, others, least); wanted < int(group.Desired) {
		setDesired(tx, group, wanted, because, f.At)
	}
	return nil
}

// othersDesired returns the largest capacity that the group's other target tracking
// policies require. ready is false if one of them is not ready to scale in: a group
// scales in only if all are.
func (p Policies) othersDesired(
	tx *store.Tx,
	group *store.ScalingGroup,
	but *store.ScalingPolicy,
	now time.Time,
) (wanted int, ready bool) {
	for _, policy := range store.ScalingPoliciesByGroup.List(tx, group.Key()) {
		c := configurationOf(policy)
		if policy.Type != Tracking || policy.Disabled || policy.ARN == but.ARN || !c.scalesIn() {
			continue
		}
		_, shrink := alarmsOf(policy)
		row, ok := store.Alarms.Get(tx, alarm.ARN(policy.Region, shrink))
		if !ok || row.State != alarm.InAlarm {
			return 0, false
		}
		values := alarm.RecentValues(row, p.Metrics, now)
		if len(values) == 0 {
			return 0, false
		}
		has := takeCensus(tx, group, 0, now)
		wanted = max(wanted, proportional(has.inService+has.leaving, values[0], c.TargetValue))
	}
	return wanted, true
}

// proportional returns the capacity at which the metric would reach its target,
// rounded up.
func proportional(current int, value, target float64) int {
	return int(math.Ceil(min(float64(current)*value/target, math.MaxInt32) - 1e-9))
}
