package elbv2

import (
	"context"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// loadBalancerAttributes defines the attributes of Application Load Balancers
// (Elastic Load Balancing API Reference, LoadBalancerAttribute). Of the logs, access logs
// alone are written.
var loadBalancerAttributes = attributes{"Load balancer", map[string]attribute{
	"access_logs.s3.bucket":        {"", anyText, nil},
	"access_logs.s3.enabled":       {"false", isBoolean, nil},
	"access_logs.s3.prefix":        {"", anyText, nil},
	"client_keep_alive.seconds":    {"3600", numberBetween(60, 604800), nil},
	"connection_logs.s3.bucket":    {"", anyText, nil},
	"connection_logs.s3.enabled":   {"false", isBoolean, oneOf("false")},
	"connection_logs.s3.prefix":    {"", anyText, nil},
	"deletion_protection.enabled":  {"false", isBoolean, nil},
	"health_check_logs.s3.bucket":  {"", anyText, nil},
	"health_check_logs.s3.enabled": {"false", isBoolean, oneOf("false")},
	"health_check_logs.s3.prefix":  {"", anyText, nil},
	"idle_timeout.timeout_seconds": {"60", numberBetween(1, 4000), nil},
	"ipv6.deny_all_igw_traffic":    {"false", isBoolean, nil},
	// These have no effect: no load balancer has a web application firewall or a service that
	// shifts zones.
	"waf.fail_open.enabled":      {"false", isBoolean, nil},
	"zonal_shift.config.enabled": {"false", isBoolean, nil},

	"load_balancing.cross_zone.enabled": {"true", oneOf("true"), nil},

	"routing.http.desync_mitigation_mode":             {"defensive", oneOf("monitor", "defensive", "strictest"), nil},
	"routing.http.preserve_host_header.enabled":       {"false", isBoolean, nil},
	"routing.http.drop_invalid_header_fields.enabled": {"false", isBoolean, nil},
	"routing.http.xff_client_port.enabled":            {"false", isBoolean, nil},
	"routing.http.xff_header_processing.mode":         {"append", oneOf("append", "preserve", "remove"), nil},

	// These two only matter to HTTPS listeners.
	"routing.http.x_amzn_tls_version_and_cipher_suite.enabled": {"false", isBoolean, nil},
	"routing.http2.enabled": {"true", isBoolean, nil},
}}

// networkLoadBalancerAttributes defines the attributes of Network Load Balancers. Access
// logs are those of TLS listeners, which the local cloud does not write.
var networkLoadBalancerAttributes = attributes{"Load balancer", map[string]attribute{
	"access_logs.s3.bucket":       {"", anyText, nil},
	"access_logs.s3.enabled":      {"false", isBoolean, oneOf("false")},
	"access_logs.s3.prefix":       {"", anyText, nil},
	"deletion_protection.enabled": {"false", isBoolean, nil},
	"dns_record.client_routing_policy": {
		"any_availability_zone",
		oneOf("any_availability_zone", "availability_zone_affinity", "partial_availability_zone_affinity"),
		oneOf("any_availability_zone"),
	},
	"ipv6.deny_all_igw_traffic": {"false", isBoolean, nil},
	// This has no effect: no service shifts zones.
	"zonal_shift.config.enabled": {"false", isBoolean, nil},

	crossZoneKey:                             {"false", isBoolean, nil},
	"secondary_ips.auto_assigned.per_subnet": {"0", numberBetween(0, 7), oneOf("0")},
}}

// attributesOf returns the attributes that the load balancer can have.
func attributesOf(lb *store.LoadBalancer) attributes {
	if lb.IsNetwork() {
		return networkLoadBalancerAttributes
	}
	return loadBalancerAttributes
}

func describeLoadBalancerAttributes(values map[string]string) []types.LoadBalancerAttribute {
	return describeAttributes(values, func(a keyValue) types.LoadBalancerAttribute {
		return types.LoadBalancerAttribute{Key: a.key, Value: a.value}
	})
}

// ModifyLoadBalancerAttributes sets attributes of a load balancer.
func (a *API) ModifyLoadBalancerAttributes(
	ctx context.Context, in *elb.ModifyLoadBalancerAttributesInput,
) (*elb.ModifyLoadBalancerAttributesOutput, error) {
	pairs := readAttributes(in.Attributes, func(a types.LoadBalancerAttribute) keyValue {
		return keyValue{a.Key, a.Value}
	})
	var lb *store.LoadBalancer // before the change
	var values map[string]string
	out, err := update(a, func(tx *store.Tx) (*elb.ModifyLoadBalancerAttributesOutput, error) {
		var err error
		if lb, err = loadBalancer(tx, wire.RegionFrom(ctx), in.LoadBalancerArn); err != nil {
			return nil, err
		}
		if values, err = attributesOf(lb).apply(lb.Attributes, pairs, a.simulated); err != nil {
			return nil, err
		}
		if err := checkLogs(tx, lb, values); err != nil {
			return nil, err
		}
		store.LoadBalancers.Edit(tx, lb.ARN, func(lb *store.LoadBalancer) { lb.Attributes = values })
		return &elb.ModifyLoadBalancerAttributesOutput{Attributes: describeLoadBalancerAttributes(values)}, nil
	})
	if err != nil {
		return nil, err
	}
	return out, a.writeTestFiles(lb, values)
}

// DescribeLoadBalancerAttributes describes all attributes of a load balancer.
func (a *API) DescribeLoadBalancerAttributes(
	ctx context.Context, in *elb.DescribeLoadBalancerAttributesInput,
) (*elb.DescribeLoadBalancerAttributesOutput, error) {
	lb, err := loadBalancer(a.store.Read(ctx), wire.RegionFrom(ctx), in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	return &elb.DescribeLoadBalancerAttributesOutput{Attributes: describeLoadBalancerAttributes(lb.Attributes)}, nil
}
