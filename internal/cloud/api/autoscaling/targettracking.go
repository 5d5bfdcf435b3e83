package autoscaling

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/metricmath"
	"aloft.dev/aloft/internal/cloud/scaling/capacity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// checkTracking checks the parts of a target tracking configuration that do not
// depend on the group, and fills in AWS's default for DisableScaleIn.
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
		return invalid("Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be " +
			"specified")
	case c.PredefinedMetricSpecification != nil:
		return checkPredefined(c.PredefinedMetricSpecification)
	}
	return checkCustomized(c.CustomizedMetricSpecification)
}

func checkPredefined(p *types.PredefinedMetricSpecification) error {
	kind := p.PredefinedMetricType
	needsLabel := kind == types.MetricTypeALBRequestCountPerTarget
	switch {
	case kind == "":
		return model.Null("predefinedMetricSpecification.predefinedMetricType")
	case !slices.Contains(kind.Values(), kind):
		return model.OutOfSet(
			"targetTrackingConfiguration.predefinedMetricSpecification.predefinedMetricType", kind,
			"ASGAverageCPUUtilization", "ASGAverageNetworkIn", "ASGAverageNetworkOut", "ALBRequestCountPerTarget",
		)
	case needsLabel && aws.ToString(p.ResourceLabel) == "":
		return invalid("Resource label should be specified for predefined metric type %s", kind)
	case !needsLabel && p.ResourceLabel != nil:
		return invalid("Resource label should not be specified for predefined metric type %s", kind)
	case needsLabel:
		if _, _, ok := capacity.SplitLabel(*p.ResourceLabel); !ok {
			return invalid("Invalid resource label %s. It has the form app/<load-balancer-name>/<load-balancer-id>/"+
				"targetgroup/<target-group-name>/<target-group-id>", *p.ResourceLabel)
		}
	}
	return nil
}

func checkCustomized(c *types.CustomizedMetricSpecification) error {
	if len(c.Metrics) > 0 {
		if c.MetricName != nil || c.Namespace != nil || c.Dimensions != nil || c.Statistic != "" || c.Unit != nil ||
			c.Period != nil {
			return invalid("Metrics must not be specified together with MetricName, Namespace, Dimensions, " +
				"Statistic, Unit or Period")
		}
		return checkQueries(c.Metrics)
	}
	switch {
	case aws.ToString(c.MetricName) == "" || aws.ToString(c.Namespace) == "":
		return invalid("MetricName and Namespace are required for a customized metric specification")
	case metric.BasicStatistic(string(c.Statistic)) == nil:
		return model.OutOfSet(
			"customizedMetricSpecification.statistic", c.Statistic,
			"Average", "Minimum", "Maximum", "SampleCount", "Sum",
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

// checkPeriod accepts 60 seconds, the only period for which the local cloud
// keeps metrics.
func checkPeriod(period *int32) error {
	switch constraint.Default(period, 60) {
	case 60:
		return nil
	case 10, 30:
		return wire.NotImplemented("target tracking with a period of less than a minute; it keeps one value a minute")
	}
	return invalid("Period must be 10, 30 or 60")
}

// checkQueries checks metric data queries. Exactly one of them must return data: a metric, or an
// expression that is one time series.
func checkQueries(queries []types.TargetTrackingMetricDataQuery) error {
	var sources []metricmath.Source
	var returning []string
	for _, q := range queries {
		if err := checkQuery(&q); err != nil {
			return err
		}
		id := *q.Id
		if slices.ContainsFunc(sources, func(s metricmath.Source) bool { return s.ID == id }) {
			return invalid("The Id %s is not unique in the metrics list", id)
		}
		sources = append(sources, metricmath.Source{
			ID: id, Label: aws.ToString(q.Label), Expression: aws.ToString(q.Expression),
		})
		if constraint.Default(q.ReturnData, true) {
			returning = append(returning, id)
		}
	}
	if len(returning) != 1 {
		return invalid("Exactly one element of the metrics list should return data")
	}
	program, err := metricmath.Compile(sources)
	if unsupported, ok := errors.AsType[*metricmath.UnsupportedError](err); ok {
		return wire.NotImplemented("metric math: the function %s", unsupported.Function)
	}
	switch {
	case err != nil:
		return invalid("%s", err)
	case slices.Contains(program.Arrays(), returning[0]):
		return invalid("The expression that returns data must return a single time series")
	case !program.Uses(returning[0]):
		return invalid("The expression that returns data must include at least one metric")
	}
	return nil
}

// checkQuery checks a query of a metric or an expression.
func checkQuery(q *types.TargetTrackingMetricDataQuery) error {
	stat := q.MetricStat
	switch {
	case aws.ToString(q.Id) == "" || (stat == nil) == (aws.ToString(q.Expression) == ""):
		return invalid("Every query must have an Id and either a MetricStat or an Expression")
	case stat == nil:
		return checkPeriod(q.Period)
	case stat.Metric == nil || stat.Metric.Namespace == nil || stat.Metric.MetricName == nil:
		return invalid("Every MetricStat must have a metric with a Namespace and a MetricName")
	case metric.ParseStatistic(aws.ToString(stat.Stat)) == nil:
		return invalid("Invalid statistic %s", aws.ToString(stat.Stat))
	}
	return cmp.Or(checkPeriod(q.Period), checkPeriod(stat.Period))
}

// checkResourceLabel checks that the target group in a policy's resource label
// is attached to the Auto Scaling group, and that the load balancer forwards to
// it.
func checkResourceLabel(r store.Reader, g *store.ScalingGroup, c *types.TargetTrackingConfiguration) error {
	if c.PredefinedMetricSpecification == nil || c.PredefinedMetricSpecification.ResourceLabel == nil {
		return nil
	}
	loadBalancer, targetGroup, _ := capacity.SplitLabel(*c.PredefinedMetricSpecification.ResourceLabel)
	i := slices.IndexFunc(g.TargetGroupARNs, func(arn string) bool {
		return strings.HasSuffix(arn, ":"+targetGroup)
	})
	if i < 0 {
		return invalid("Target group not attached to the Auto Scaling group")
	}
	for _, l := range store.Listeners.InRegion(r, g.Region) {
		if strings.HasSuffix(
			l.LoadBalancerARN, ":loadbalancer/"+loadBalancer,
		) && forwardsTo(r, l, g.TargetGroupARNs[i]) {
			return nil
		}
	}
	return invalid("Target group %s is not attached to the load balancer %s", targetGroup, loadBalancer)
}

// forwardsTo reports whether a listener or one of its rules forwards to a
// target group.
func forwardsTo(r store.Reader, l *store.Listener, group string) bool {
	actions := slices.Clone(l.Actions)
	for _, rule := range store.RulesByListener.List(r, l.ARN) {
		actions = append(actions, rule.Actions...)
	}
	return slices.ContainsFunc(actions, func(a store.Action) bool {
		return slices.ContainsFunc(a.Forward, func(w store.WeightedTargetGroup) bool { return w.ARN == group })
	})
}
