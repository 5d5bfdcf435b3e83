package autoscaling

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/scaling/capacity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// checkTracking checks what a target tracking policy says for itself, and fills in
// what AWS does.
func checkTracking(c *types.TargetTrackingConfiguration) error {
	if c.DisableScaleIn == nil {
		c.DisableScaleIn = aws.Bool(false)
	}
	switch {
	case c.TargetValue == nil:
		return model.Required("targetTrackingConfiguration.targetValue", c.TargetValue != nil)
	case !(*c.TargetValue > 0) || math.IsInf(*c.TargetValue, 0):
		return invalid("TargetValue must be greater than 0")
	case (c.PredefinedMetricSpecification == nil) == (c.CustomizedMetricSpecification == nil):
		return invalid(
			"Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified",
		)
	case c.PredefinedMetricSpecification != nil:
		return checkPredefined(c.PredefinedMetricSpecification)
	}
	return checkCustomized(c.CustomizedMetricSpecification)
}

func checkPredefined(p *types.PredefinedMetricSpecification) error {
	labelled := p.PredefinedMetricType == types.MetricTypeALBRequestCountPerTarget
	switch {
	case p.PredefinedMetricType == "":
		return model.Null("predefinedMetricSpecification.predefinedMetricType")
	case !slices.Contains(p.PredefinedMetricType.Values(), p.PredefinedMetricType):
		return model.OutOfSet(
			"targetTrackingConfiguration.predefinedMetricSpecification.predefinedMetricType",
			p.PredefinedMetricType,
			"ASGAverageCPUUtilization",
			"ASGAverageNetworkIn",
			"ASGAverageNetworkOut",
			"ALBRequestCountPerTarget",
		)
	case labelled && aws.ToString(p.ResourceLabel) == "":
		return invalid("Resource label should be specified for predefined metric type %s", p.PredefinedMetricType)
	case !labelled && p.ResourceLabel != nil:
		return invalid("Resource label should not be specified for predefined metric type %s", p.PredefinedMetricType)
	case labelled:
		if _, _, ok := capacity.SplitLabel(*p.ResourceLabel); !ok {
			return invalid(
				"Invalid resource label %s. It has the form app/<load-balancer-name>/<load-balancer-id>/targetgroup/<target-group-name>/<target-group-id>",
				*p.ResourceLabel,
			)
		}
	}
	return nil
}

func checkCustomized(c *types.CustomizedMetricSpecification) error {
	if len(c.Metrics) > 0 {
		if c.MetricName != nil || c.Namespace != nil || c.Dimensions != nil || c.Statistic != "" || c.Unit != nil ||
			c.Period != nil {
			return invalid(
				"Metrics must not be specified together with MetricName, Namespace, Dimensions, Statistic, Unit or Period",
			)
		}
		return checkQueries(c.Metrics)
	}
	switch {
	case aws.ToString(c.MetricName) == "" || aws.ToString(c.Namespace) == "":
		return invalid("MetricName and Namespace are required for a customized metric specification")
	case metric.BasicStatistic(string(c.Statistic)) == nil:
		return model.OutOfSet(
			"customizedMetricSpecification.statistic",
			c.Statistic,
			"Average",
			"Minimum",
			"Maximum",
			"SampleCount",
			"Sum",
		)
	}
	for _, d := range c.Dimensions {
		if err := cmp.Or(
			model.Required("dimensions.member.name", d.Name != nil),
			model.Required("dimensions.member.value", d.Value != nil),
		); err != nil {
			return err
		}
	}
	return checkPeriod(c.Period)
}

// checkPeriod takes the one period in which metrics are kept here.
func checkPeriod(period *int32) error {
	switch constraint.Default(period, 60) {
	case 60:
		return nil
	case 10, 30:
		return wire.NotImplemented(
			"target tracking with a period shorter than a minute: the metrics here are of a minute each",
		)
	}
	return invalid("Period must be 10, 30 or 60")
}

// checkQueries takes queries of which one, of a metric, returns data.
func checkQueries(queries []types.TargetTrackingMetricDataQuery) error {
	returning := 0
	for _, q := range queries {
		switch {
		case q.Expression != nil:
			return wire.NotImplemented("metric math: the expression of the query %s", aws.ToString(q.Id))
		case aws.ToString(q.Id) == "" || q.MetricStat == nil || q.MetricStat.Metric == nil || q.MetricStat.Metric.Namespace == nil || q.MetricStat.Metric.MetricName == nil:
			return invalid("Every query must have an Id and a MetricStat with a metric")
		case metric.ParseStatistic(aws.ToString(q.MetricStat.Stat)) == nil:
			return invalid("Invalid statistic %s", aws.ToString(q.MetricStat.Stat))
		}
		for _, period := range []*int32{q.Period, q.MetricStat.Period} {
			if err := checkPeriod(period); err != nil {
				return err
			}
		}
		if constraint.Default(q.ReturnData, true) {
			returning++
		}
	}
	if returning != 1 {
		return invalid("Exactly one element of the metrics list should return data")
	}
	return nil
}

// checkResourceLabel checks that what a policy names belongs to the group: the target
// group is attached to it, and the load balancer sends requests there.
func checkResourceLabel(r store.Reader, g *store.ScalingGroup, c *types.TargetTrackingConfiguration) error {
	if c.PredefinedMetricSpecification == nil || c.PredefinedMetricSpecification.ResourceLabel == nil {
		return nil
	}
	lb, targets, _ := capacity.SplitLabel(*c.PredefinedMetricSpecification.ResourceLabel)
	i := slices.IndexFunc(g.TargetGroupARNs, func(arn string) bool { return strings.HasSuffix(arn, ":"+targets) })
	if i < 0 {
		return invalid("Target group not attached to the Auto Scaling group")
	}
	for _, l := range store.Listeners.By(r, "region", g.Region) {
		if strings.HasSuffix(l.LoadBalancerARN, ":loadbalancer/"+lb) && forwardsTo(r, l, g.TargetGroupARNs[i]) {
			return nil
		}
	}
	return invalid("Target group %s is not attached to the load balancer %s", targets, lb)
}

// forwardsTo tells whether a listener sends requests to the target group.
func forwardsTo(r store.Reader, l *store.Listener, group string) bool {
	actions := slices.Clone(l.Actions)
	for _, rule := range store.Rules.By(r, "listener", l.ARN) {
		actions = append(actions, rule.Actions...)
	}
	return slices.ContainsFunc(actions, func(a store.Action) bool {
		return slices.ContainsFunc(a.Forward, func(w store.WeightedTargetGroup) bool { return w.ARN == group })
	})
}
