package stack

import "fmt"

// KindScalingPolicy is the kind of a scaling policy.
const KindScalingPolicy Kind = "scaling-policy"

var scalingPolicyKind = properties{
	kind:             KindScalingPolicy,
	mayReferTo:       []Kind{KindScalingGroup, KindTargetGroup, KindLoadBalancer, KindListener},
	deletedWithOwner: true,
}

// AddressScalingPolicy is the address of the application's scaling policy.
const AddressScalingPolicy = "scaling-policy"

// Attributes of a scaling policy.
const (
	AttrEnabled            AttributeKey = "enabled"
	AttrMetric             AttributeKey = "metric"
	AttrTargetValue        AttributeKey = "value"
	AttrMetricLoadBalancer AttributeKey = "of load balancer"
	AttrMetricTargetGroup  AttributeKey = "of target group"
)

// Metrics of target tracking (Amazon EC2 Auto Scaling API Reference,
// PredefinedMetricSpecification).
const (
	MetricCPU      = "ASGAverageCPUUtilization"
	MetricRequests = "ALBRequestCountPerTarget"
)

// ScalingPolicy keeps a metric of an Auto Scaling group's instances at a target
// value by changing their number (Amazon EC2 Auto Scaling User Guide, "Target
// tracking scaling policies"). Either CPU or Requests is set.
type ScalingPolicy struct {
	PolicyName string
	Group      Ref
	CPU        int // percent
	Requests   int // per minute and instance

	// For Requests. Without the listener the load balancer does not use the target
	// group.
	LoadBalancer, TargetGroup, Listener Ref
}

// Kind implements Body.
func (ScalingPolicy) Kind() Kind { return KindScalingPolicy }

// Title implements Body.
func (p ScalingPolicy) Title() string {
	if p.CPU > 0 {
		return fmt.Sprintf("target tracking: as many machines as keep their CPU at %d %%", p.CPU)
	}
	return fmt.Sprintf("target tracking: as many machines as get %d requests a minute each", p.Requests)
}

// Attributes implements Body.
func (p ScalingPolicy) Attributes() []Attribute {
	all := []Attribute{fixed(ref(AttrGroup, p.Group)), text(AttrEnabled, Yes)}
	if p.CPU > 0 {
		return append(all, text(AttrMetric, MetricCPU), text(AttrTargetValue, p.CPU))
	}
	return append(
		all,
		text(AttrMetric, MetricRequests),
		text(AttrTargetValue, p.Requests),
		ref(AttrMetricLoadBalancer, p.LoadBalancer),
		ref(AttrMetricTargetGroup, p.TargetGroup),
	)
}

// Needs implements Body. Requests are counted at the listener.
func (p ScalingPolicy) Needs() []Ref {
	if p.Requests == 0 {
		return nil
	}
	return []Ref{p.Listener}
}
