package elbv2

import (
	"context"
	"maps"
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

// terminationKey and preserveKey are keys of attributes whose defaults depend on the group.
const (
	terminationKey          = "deregistration_delay.connection_termination.enabled"
	unhealthyTerminationKey = "target_health_state.unhealthy.connection_termination.enabled"
	preserveKey             = "preserve_client_ip.enabled"
)

// networkTargetGroupAttributes defines the attributes of the target groups of Network Load
// Balancers, with the defaults of the protocol TCP and the target type instance.
var networkTargetGroupAttributes = attributes{"Target group", map[string]attribute{
	"deregistration_delay.timeout_seconds": {"300", numberBetween(0, 3600), nil},
	terminationKey:                         {"false", isBoolean, nil},
	crossZoneKey:                           targetGroupAttributes.keys[crossZoneKey],
	preserveKey:                            {"true", isBoolean, nil},
	"proxy_protocol_v2.enabled":            {"false", isBoolean, oneOf("false")},
	stickyKey:                              {"false", isBoolean, nil},
	stickyTypeKey:                          {sourceIP, oneOf(sourceIP, "lb_cookie", "app_cookie"), nil},
	failoverPrefix + "count":               targetGroupAttributes.keys[failoverPrefix+"count"],
	failoverPrefix + "percentage":          targetGroupAttributes.keys[failoverPrefix+"percentage"],
	failOpenPrefix + "count":               targetGroupAttributes.keys[failOpenPrefix+"count"],
	failOpenPrefix + "percentage":          targetGroupAttributes.keys[failOpenPrefix+"percentage"],
	unhealthyTerminationKey:                {"true", isBoolean, nil},
	"target_health_state.unhealthy.draining_interval_seconds": {"0", numberBetween(0, 360_000), oneOf("0")},
}}

// sourceIP is the stickiness of Network Load Balancers.
const sourceIP = "source_ip"

// targetGroupAttributesOf returns the attributes that the target group can have (Elastic Load
// Balancing API Reference, TargetGroupAttribute; Network Load Balancer guide, Client IP
// preservation).
func targetGroupAttributesOf(group *store.TargetGroup) attributes {
	if !group.IsNetwork() {
		return targetGroupAttributes
	}
	out := attributes{networkTargetGroupAttributes.kind, maps.Clone(networkTargetGroupAttributes.keys)}
	change := func(key, initial string) { out.keys[key] = attribute{initial, isBoolean, nil} }
	switch {
	case group.Protocol != tcp:
		change(terminationKey, "true")
		change(unhealthyTerminationKey, "false")
	case group.TargetType == string(types.TargetTypeEnumIp):
		change(preserveKey, "false")
	}
	return out
}

// checkNetworkAttributes refuses values of attributes that the group of a Network Load Balancer
// cannot have. Clients report the message about stickiness (ansible/ansible, issue 67993).
func checkNetworkAttributes(group *store.TargetGroup, values map[string]string) error {
	refuse := func(format string, args ...any) error {
		return wire.Errorf("InvalidConfigurationRequest", format, args...)
	}
	switch {
	case values[stickyTypeKey] != sourceIP:
		return refuse(
			"Stickiness type '%s' is not supported for target groups with the %s protocol",
			values[stickyTypeKey], group.Protocol,
		)
	case group.Protocol != tcp && values[preserveKey] == "false":
		return refuse(
			"Client IP preservation cannot be disabled for target groups with the %s protocol", group.Protocol,
		)
	case group.Protocol != tcp && values[unhealthyTerminationKey] == "true":
		return refuse(
			"Connection termination for unhealthy targets cannot be enabled for target groups with the %s protocol",
			group.Protocol,
		)
	}
	return nil
}

// appCookieName reports whether v is a cookie name (RFC 6265, section 4.1.1) that
// load balancers do not use themselves.
func appCookieName(v string) bool {
	return v == "" || anyText(v) && tokenForm.MatchString(v) && !strings.HasPrefix(v, "AWSALB")
}

// checkAttributeConflicts refuses combinations of attributes. The messages about
// slow start and the one of checkGroupStickiness are AWS's
// (kubernetes-sigs/aws-load-balancer-controller, issues 3686 and 2734).
func checkAttributeConflicts(r store.Reader, group *store.TargetGroup, values map[string]string) error {
	if group.IsNetwork() {
		if err := checkNetworkAttributes(group, values); err != nil {
			return err
		}
	}
	sticky := values[stickyKey] == "true" && !group.IsNetwork()
	conflict := func(format string, args ...any) error {
		return wire.Errorf("InvalidConfigurationRequest", format, args...)
	}
	switch {
	case values[slowStartKey] != "0" && values[algorithmKey] == "weighted_random":
		return conflict("You cannot enable both slow start and weighted random algorithm on a target group")
	case values[slowStartKey] != "0" && values[algorithmKey] == "least_outstanding_requests":
		return conflict("You cannot enable both slow start and least outstanding requests algorithm on a target group")
	case sticky && values[crossZoneKey] == "false":
		return conflict("You cannot enable stickiness on a target group when cross-zone load balancing is off")
	case sticky && values[stickyTypeKey] == "app_cookie" && values[appCookieKey] == "":
		return conflict("You must specify a cookie name to enable stickiness of the type 'app_cookie'")
	case lowerThreshold(values[failoverPrefix+"count"], values[failOpenPrefix+"count"]),
		lowerThreshold(values[failoverPrefix+"percentage"], values[failOpenPrefix+"percentage"]):
		return conflict(
			"The threshold for DNS failover must be greater than or equal to the threshold for routing failover",
		)
	}
	if values[crossZoneKey] == "false" {
		for _, t := range store.TargetsByTargetGroup.List(r, group.ARN) {
			if t.Zone == "all" {
				return conflict(
					"You cannot turn off cross-zone load balancing while the target '%s' "+
						"is registered for the Availability Zone 'all'",
					t.ID,
				)
			}
		}
	}
	if sticky {
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
		values, err := targetGroupAttributesOf(group).apply(group.Attributes, pairs)
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
