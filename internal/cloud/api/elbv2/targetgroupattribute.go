package elbv2

import (
	"context"
	"strconv"
	"strings"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Keys of target group attributes that constrain each other.
const (
	algorithmKey   = "load_balancing.algorithm.type"
	crossZoneKey   = "load_balancing.cross_zone.enabled"
	slowStartKey   = "slow_start.duration_seconds"
	stickyKey      = "stickiness.enabled"
	stickyTypeKey  = "stickiness.type"
	appCookieKey   = "stickiness.app_cookie.cookie_name"
	failoverPrefix = "target_group_health.dns_failover.minimum_healthy_targets."
	failOpenPrefix = "target_group_health.unhealthy_state_routing.minimum_healthy_targets."
)

// targetGroupAttributes defines the attributes of an Application Load Balancer's
// instance and ip target groups (Elastic Load Balancing API Reference,
// TargetGroupAttribute).
var targetGroupAttributes = attributes{"Target group", map[string]attribute{
	"deregistration_delay.timeout_seconds":        {"300", numberBetween(0, 3600), nil},
	"load_balancing.algorithm.anomaly_mitigation": {"off", oneOf("on", "off"), oneOf("off")},
	algorithmKey: {"round_robin", oneOf("round_robin", "least_outstanding_requests", "weighted_random"), nil},
	crossZoneKey: {
		"use_load_balancer_configuration",
		oneOf("true", "false", "use_load_balancer_configuration"),
		nil,
	},
	slowStartKey:                             {"0", either(oneOf("0"), numberBetween(30, 900)), nil},
	appCookieKey:                             {"", appCookieName, nil},
	"stickiness.app_cookie.duration_seconds": {"86400", numberBetween(1, maxStickiness), nil},
	stickyKey:                                {"false", isBoolean, nil},
	"stickiness.lb_cookie.duration_seconds":  {"86400", numberBetween(1, maxStickiness), nil},
	stickyTypeKey:                            {"lb_cookie", oneOf("lb_cookie", "app_cookie"), nil},
	failoverPrefix + "count":                 {"1", either(oneOf("off"), numberBetween(1, 1000)), nil},
	failoverPrefix + "percentage":            {"off", either(oneOf("off"), numberBetween(1, 100)), nil},
	failOpenPrefix + "count":                 {"1", numberBetween(1, 1000), nil},
	failOpenPrefix + "percentage":            {"off", either(oneOf("off"), numberBetween(1, 100)), nil},
}}

// appCookieName reports whether v is a cookie name (RFC 6265, section 4.1.1) that
// load balancers do not use themselves.
func appCookieName(v string) bool {
	return v == "" || anyText(v) && tokenForm.MatchString(v) && !strings.HasPrefix(v, "AWSALB")
}

// checkAttributeConflicts refuses combinations of attributes.
func checkAttributeConflicts(r store.Reader, group *store.TargetGroup, values map[string]string) error {
	check := checkApplicationAttributes
	if group.IsNetwork() {
		check = checkNetworkAttributes
	}
	if err := check(r, group, values); err != nil {
		return err
	}
	if lowerThreshold(values[failoverPrefix+"count"], values[failOpenPrefix+"count"]) ||
		lowerThreshold(values[failoverPrefix+"percentage"], values[failOpenPrefix+"percentage"]) {
		return attributeConflict(
			"The threshold for DNS failover must be greater than or equal to the threshold for routing failover",
		)
	}
	if values[crossZoneKey] != "false" {
		return nil
	}
	for _, t := range store.TargetsByTargetGroup.List(r, group.ARN) {
		if t.Zone == "all" {
			return attributeConflict(
				"You cannot turn off cross-zone load balancing while the target '%s' "+
					"is registered for the Availability Zone 'all'",
				t.ID,
			)
		}
	}
	return nil
}

func attributeConflict(format string, args ...any) error {
	return wire.Errorf("InvalidConfigurationRequest", format, args...)
}

// checkApplicationAttributes refuses values of attributes that the group of an Application
// Load Balancer cannot have together. The messages about slow start and the one of
// checkGroupStickiness are AWS's (kubernetes-sigs/aws-load-balancer-controller, issues 3686
// and 2734).
func checkApplicationAttributes(r store.Reader, group *store.TargetGroup, values map[string]string) error {
	sticky, conflict := values[stickyKey] == "true", attributeConflict
	switch {
	case values[slowStartKey] != "0" && values[algorithmKey] == "weighted_random":
		return conflict("You cannot enable both slow start and weighted random algorithm on a target group")
	case values[slowStartKey] != "0" && values[algorithmKey] == "least_outstanding_requests":
		return conflict("You cannot enable both slow start and least outstanding requests algorithm on a target group")
	case sticky && values[crossZoneKey] == "false":
		return conflict("You cannot enable stickiness on a target group when cross-zone load balancing is off")
	case sticky && values[stickyTypeKey] == "app_cookie" && values[appCookieKey] == "":
		return conflict("You must specify a cookie name to enable stickiness of the type 'app_cookie'")
	case sticky:
		return checkGroupStickiness(r, group)
	}
	return nil
}

// lowerThreshold reports whether threshold a is lower than b. Neither is if one
// is "off".
func lowerThreshold(a, b string) bool {
	x, err := strconv.Atoi(a)
	if err != nil {
		return false
	}
	y, err := strconv.Atoi(b)
	return err == nil && x < y
}

// checkGroupStickiness refuses stickiness to targets while a rule lets clients
// change between target groups.
func checkGroupStickiness(r store.Reader, group *store.TargetGroup) error {
	var err error
	eachForward(r, group, func(_ *store.Listener, rule string, a store.Action) {
		if err == nil && len(a.Forward) > 1 && !a.Stickiness {
			err = wire.Errorf(
				"InvalidConfigurationRequest",
				"This target group appears behind a rule with group stickiness disabled (%s). "+
					"You must enable group stickiness before enabling target stickiness",
				rule,
			)
		}
	})
	return err
}

func describeTargetGroupAttributes(values map[string]string) []types.TargetGroupAttribute {
	return describeAttributes(values, func(a keyValue) types.TargetGroupAttribute {
		return types.TargetGroupAttribute{Key: a.key, Value: a.value}
	})
}

// ModifyTargetGroupAttributes sets attributes of a target group.
func (a *API) ModifyTargetGroupAttributes(
	ctx context.Context, in *elb.ModifyTargetGroupAttributesInput,
) (*elb.ModifyTargetGroupAttributesOutput, error) {
	pairs := readAttributes(in.Attributes, func(a types.TargetGroupAttribute) keyValue {
		return keyValue{a.Key, a.Value}
	})
	return update(a, func(tx *store.Tx) (*elb.ModifyTargetGroupAttributesOutput, error) {
		group, err := targetGroup(tx, wire.RegionFrom(ctx), in.TargetGroupArn)
		if err != nil {
			return nil, err
		}
		if err := checkModifiable(group); err != nil {
			return nil, err
		}
		values, err := targetGroupAttributesOf(group).apply(group.Attributes, pairs, a.simulated)
		if err != nil {
			return nil, err
		}
		if err := checkAttributeConflicts(tx, group, values); err != nil {
			return nil, err
		}
		store.TargetGroups.Edit(tx, group.ARN, func(group *store.TargetGroup) { group.Attributes = values })
		return &elb.ModifyTargetGroupAttributesOutput{Attributes: describeTargetGroupAttributes(values)}, nil
	})
}

// DescribeTargetGroupAttributes describes all attributes of a target group.
func (a *API) DescribeTargetGroupAttributes(
	ctx context.Context, in *elb.DescribeTargetGroupAttributesInput,
) (*elb.DescribeTargetGroupAttributesOutput, error) {
	group, err := targetGroup(a.store.Read(ctx), wire.RegionFrom(ctx), in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	return &elb.DescribeTargetGroupAttributesOutput{Attributes: describeTargetGroupAttributes(group.Attributes)}, nil
}
