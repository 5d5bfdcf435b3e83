package elbv2

import (
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

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
	case group.Protocol != tcp && group.Protocol != secure:
		change(terminationKey, "true")
		change(unhealthyTerminationKey, "false")
	case group.TargetType == string(types.TargetTypeEnumIp):
		change(preserveKey, "false")
	}
	return out
}

// checkNetworkAttributes refuses values of attributes that the group of a Network Load Balancer
// cannot have. Clients report the message about stickiness (ansible/ansible, issue 67993).
func checkNetworkAttributes(r store.Reader, group *store.TargetGroup, values map[string]string) error {
	refuse, connections := attributeConflict, group.Protocol == tcp || group.Protocol == secure
	switch {
	case values[stickyTypeKey] != sourceIP:
		return refuse(
			"Stickiness type '%s' is not supported for target groups with the %s protocol",
			values[stickyTypeKey], group.Protocol,
		)
	case !connections && values[preserveKey] == "false":
		return refuse(
			"Client IP preservation cannot be disabled for target groups with the %s protocol", group.Protocol,
		)
	case !connections && values[unhealthyTerminationKey] == "true":
		return refuse(
			"Connection termination for unhealthy targets cannot be enabled for target groups with the %s protocol",
			group.Protocol,
		)
	case values[stickyKey] == "true":
		return checkStickyTLS(r, group)
	}
	return nil
}
