package elbv2

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxStickiness is the longest stickiness, seven days, in seconds.
const maxStickiness = 604800

// readGroupStickiness validates for how long clients stay with a target group
// (Elastic Load Balancing API Reference, TargetGroupStickinessConfig).
func readGroupStickiness(config *types.ForwardActionConfig) (enabled bool, seconds int32, err error) {
	if config == nil || config.TargetGroupStickinessConfig == nil {
		return false, 0, nil
	}
	given := config.TargetGroupStickinessConfig
	if err := model.Between("durationSeconds", given.DurationSeconds, 1, maxStickiness); err != nil {
		return false, 0, err
	}
	enabled, seconds = aws.ToBool(given.Enabled), aws.ToInt32(given.DurationSeconds)
	if enabled && seconds == 0 {
		return false, 0, invalid("You must specify the duration in seconds when you enable target group stickiness")
	}
	return enabled, seconds, nil
}

func readForward(
	r store.Reader,
	lb *store.LoadBalancer,
	in types.Action,
	sticky bool,
) ([]store.WeightedTargetGroup, error) {
	tuples, err := mergeTargetGroups(in)
	if err != nil {
		return nil, err
	}
	var out []store.WeightedTargetGroup
	for _, tuple := range tuples {
		group, err := targetGroup(r, lb.Region, tuple.TargetGroupArn)
		if err != nil {
			return nil, err
		}
		if err := model.Between("weight", tuple.Weight, 0, 999); err != nil {
			return nil, err
		}
		if err := checkForwardTo(r, lb, group); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(w store.WeightedTargetGroup) bool { return w.ARN == group.ARN }) {
			return nil, invalid("The target group '%s' is specified more than once", group.ARN)
		}
		if len(tuples) > 1 && !sticky && group.Attributes["stickiness.enabled"] == "true" {
			return nil, wire.Errorf(
				"InvalidConfigurationRequest",
				"You must enable group stickiness on a rule if you enabled target stickiness on one of its "+
					"target groups",
			)
		}
		out = append(out, store.WeightedTargetGroup{ARN: group.ARN, Weight: constraint.Default(tuple.Weight, 1)})
	}
	return out, nil
}

// mergeTargetGroups returns the target groups of a forward action, which a
// request can name in two places.
func mergeTargetGroups(in types.Action) ([]types.TargetGroupTuple, error) {
	var tuples []types.TargetGroupTuple
	if in.ForwardConfig != nil {
		tuples = in.ForwardConfig.TargetGroups
	}
	switch {
	case in.TargetGroupArn == nil:
	case len(tuples) == 0:
		tuples = []types.TargetGroupTuple{{TargetGroupArn: in.TargetGroupArn}}
	case len(tuples) > 1 || aws.ToString(tuples[0].TargetGroupArn) != *in.TargetGroupArn:
		return nil, invalid(
			"You cannot specify both a target group ARN and a forward action configuration with other target groups",
		)
	}
	switch {
	case len(tuples) == 0:
		return nil, invalid("A target group ARN must be specified")
	case len(tuples) > maxTargetGroups:
		return nil, wire.Errorf(
			"TooManyTargetGroups", "You can specify up to %d target groups in a forward action", maxTargetGroups,
		)
	}
	return tuples, nil
}

// checkForwardTo refuses a target group that the load balancer cannot forward to.
func checkForwardTo(r store.Reader, lb *store.LoadBalancer, group *store.TargetGroup) error {
	if group.VPCID != lb.VPCID {
		return wire.Errorf(
			"InvalidConfigurationRequest", "The target group '%s' is not in the VPC of the load balancer", group.ARN,
		)
	}
	if users := loadBalancersOf(r, group); slices.ContainsFunc(users, func(arn string) bool { return arn != lb.ARN }) {
		return wire.Errorf(
			"TargetGroupAssociationLimit",
			"The following target groups cannot be associated with more than one load balancer: %s",
			group.ARN,
		)
	}
	return checkFamily(lb, group)
}

// eachForward calls found for every forward action to the target group, with the
// listener and the ARN of the rule that has the action.
func eachForward(r store.Reader, group *store.TargetGroup, found func(l *store.Listener, rule string, a store.Action)) {
	visit := func(l *store.Listener, rule string, actions []store.Action) {
		for _, a := range actions {
			if slices.ContainsFunc(a.Forward, func(w store.WeightedTargetGroup) bool { return w.ARN == group.ARN }) {
				found(l, rule, a)
			}
		}
	}
	for _, l := range store.Listeners.InRegion(r, group.Region) {
		visit(l, defaultRule(l), l.Actions)
		for _, rule := range store.RulesByListener.List(r, l.ARN) {
			visit(l, rule.ARN, rule.Actions)
		}
	}
}

// loadBalancersOf returns the ARNs of the load balancers whose listeners or rules
// forward to the target group, sorted.
func loadBalancersOf(r store.Reader, group *store.TargetGroup) []string {
	users := map[string]bool{}
	eachForward(r, group, func(l *store.Listener, _ string, _ store.Action) { users[l.LoadBalancerARN] = true })
	return slices.Sorted(maps.Keys(users))
}

func describeForward(out *types.Action, action store.Action) {
	if len(action.Forward) == 0 {
		return
	}
	sticky := &types.TargetGroupStickinessConfig{Enabled: new(action.Stickiness)}
	if action.StickinessSeconds > 0 {
		sticky.DurationSeconds = new(action.StickinessSeconds)
	}
	out.ForwardConfig = &types.ForwardActionConfig{TargetGroupStickinessConfig: sticky}
	for _, share := range action.Forward {
		out.ForwardConfig.TargetGroups = append(
			out.ForwardConfig.TargetGroups,
			types.TargetGroupTuple{TargetGroupArn: new(share.ARN), Weight: new(share.Weight)},
		)
	}
	if len(action.Forward) == 1 {
		out.TargetGroupArn = new(action.Forward[0].ARN)
	}
}
