package elbv2

import (
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// healthCheck wraps the stored settings with their validation.
type healthCheck store.HealthCheck

const (
	tcp  = string(types.ProtocolEnumTcp)
	http = string(types.ProtocolEnumHttp)
	grpc = "GRPC" // a protocol version
)

// defaultHealthCheck returns the check of a target group that is created without settings
// (Application Load Balancer guide, Health checks: default values; Elastic Load Balancing
// API Reference, CreateTargetGroup).
func defaultHealthCheck(group *store.TargetGroup) healthCheck {
	c := healthCheck{Enabled: true, Port: trafficPort, Interval: 30, Healthy: 5, Unhealthy: 2}
	switch {
	case group.TargetType == alb:
		c.Protocol, c.Path, c.Matcher, c.Timeout = http, "/", "200-399", 6
		return c
	case group.IsNetwork():
		c.Protocol, c.Timeout = tcp, 10
		return c
	}
	c.Protocol, c.Path, c.Matcher, c.Timeout = http, "/", "200", 5
	if group.ProtocolVersion == grpc {
		c.Path, c.Matcher = "/AWS.ALB/healthcheck", "12"
	}
	return c
}

const trafficPort = "traffic-port"

func healthCheckOf(group *store.TargetGroup) healthCheck { return healthCheck(group.HealthCheck) }

// healthCheckInput holds a request's health check settings; nil and empty ones
// stay as they are.
type healthCheckInput struct {
	enabled                               *bool
	protocol                              types.ProtocolEnum
	port, path                            *string
	interval, timeout, healthy, unhealthy *int32
	matcher                               *types.Matcher
}

// The forms of the status codes that pass the checks of Application Load Balancers and of
// Network Load Balancers, and those of gRPC.
var (
	matcherForm        = regexp.MustCompile(`^[2-4]\d\d(-[2-4]\d\d)?(,[2-4]\d\d(-[2-4]\d\d)?)*$`)
	grpcMatcherForm    = regexp.MustCompile(`^\d\d?(-\d\d?)?(,\d\d?(-\d\d?)?)*$`)
	networkMatcherForm = regexp.MustCompile(`^[2-5]\d\d(-[2-5]\d\d)?(,[2-5]\d\d(-[2-5]\d\d)?)*$`)
)

// modified returns the health check of the group with the settings of in applied.
func (c healthCheck) modified(group *store.TargetGroup, in healthCheckInput) (store.HealthCheck, error) {
	none := store.HealthCheck{}
	for _, n := range []struct {
		name      string
		given     *int32
		low, high int32
		to        *int32
	}{
		{"healthCheckIntervalSeconds", in.interval, 5, 300, &c.Interval},
		{"healthCheckTimeoutSeconds", in.timeout, 2, 120, &c.Timeout},
		{"healthyThresholdCount", in.healthy, 2, 10, &c.Healthy},
		{"unhealthyThresholdCount", in.unhealthy, 2, 10, &c.Unhealthy},
	} {
		if err := model.Between(n.name, n.given, n.low, n.high); err != nil {
			return none, err
		}
		*n.to = constraint.Default(n.given, *n.to)
	}
	c.setProtocol(group, in)
	c.Port, c.Path = constraint.Default(in.port, c.Port), constraint.Default(in.path, c.Path)
	if err := c.setMatcher(group, in.matcher); err != nil {
		return none, err
	}
	if in.enabled != nil && !*in.enabled {
		return none, wire.Errorf(
			"InvalidConfigurationRequest",
			"Health check enabled must be true for target groups with target type 'instance' or 'ip'",
		)
	}
	return store.HealthCheck(c), c.check(group)
}

// setProtocol applies the protocol of a request, and the defaults that come with it. A TCP
// check has neither a path nor status codes.
func (c *healthCheck) setProtocol(group *store.TargetGroup, in healthCheckInput) {
	before := c.Protocol
	if in.protocol != "" {
		c.Protocol = string(in.protocol)
	}
	switch {
	case c.Protocol == before || !group.IsNetwork():
	case c.Protocol == tcp:
		c.Path, c.Matcher = "", ""
	case before == tcp:
		c.Path, c.Matcher = "/", "200-399"
		if c.Protocol == http && in.timeout == nil {
			c.Timeout = 6
		}
	}
}

// setMatcher applies the status codes of a request, which are those of gRPC for targets that
// speak it.
func (c *healthCheck) setMatcher(group *store.TargetGroup, in *types.Matcher) error {
	switch isGRPC := group.ProtocolVersion == grpc; {
	case in == nil:
	case isGRPC && in.HttpCode != nil:
		return invalid("The HTTP code matcher is not supported for the protocol version GRPC")
	case isGRPC:
		c.Matcher = constraint.Default(in.GrpcCode, c.Matcher)
	case in.GrpcCode != nil:
		return invalid("The GRPC code matcher is only supported for the protocol version GRPC")
	default:
		c.Matcher = constraint.Default(in.HttpCode, c.Matcher)
	}
	return nil
}

// check refuses invalid settings and combinations.
func (c healthCheck) check(group *store.TargetGroup) error {
	if group.IsNetwork() {
		return c.checkNetwork(group)
	}
	switch {
	case c.Timeout >= c.Interval:
		return invalid("Health check interval must be greater than the timeout.")
	case c.Protocol != http && c.Protocol != string(types.ProtocolEnumHttps):
		return invalid("Health check protocol '%s' must be one of 'HTTP, HTTPS'", c.Protocol)
	}
	if err := c.checkRequest(); err != nil {
		return err
	}
	if group.ProtocolVersion == grpc {
		if !grpcMatcherForm.MatchString(c.Matcher) {
			return invalid("Health check matcher GRPC code '%s' must be within '0-99' inclusive", c.Matcher)
		}
		return nil
	}
	if !matcherForm.MatchString(c.Matcher) {
		return invalid("Health check matcher HTTP code '%s' must be within '200-499' inclusive", c.Matcher)
	}
	return nil
}

// checkNetwork is check for a target group of Network Load Balancers. Clients report the
// messages about TCP checks (awsdocs/aws-cloudformation-user-guide, pull request 186).
func (c healthCheck) checkNetwork(group *store.TargetGroup) error {
	switch {
	case c.Timeout > c.Interval: // they may be equal (aws/aws-cdk, pull request 16445)
		return invalid("Health check interval must be greater than or equal to the timeout.")
	case c.Protocol == tcp && group.TargetType == alb:
		return invalid("Health check protocol '%s' must be one of 'HTTP, HTTPS'", c.Protocol)
	case c.Protocol == tcp && c.Path != "":
		return wire.Errorf("InvalidConfigurationRequest", "Health check paths are not supported for TCP health checks")
	case c.Protocol == tcp && c.Matcher != "":
		return wire.Errorf(
			"InvalidConfigurationRequest", "Health check matchers are not supported for TCP health checks",
		)
	case c.Protocol == tcp:
		return c.checkPort()
	case c.Protocol != http && c.Protocol != string(types.ProtocolEnumHttps):
		return invalid("Health check protocol '%s' must be one of 'HTTP, HTTPS, TCP'", c.Protocol)
	case !networkMatcherForm.MatchString(c.Matcher):
		return invalid("Health check matcher HTTP code '%s' must be within '200-599' inclusive", c.Matcher)
	}
	return c.checkRequest()
}

// checkPort refuses an invalid port.
func (c healthCheck) checkPort() error {
	if c.Port != trafficPort && !numberBetween(1, 65535)(c.Port) {
		return invalid("Health check port '%s' must be '%s' or in the range [1, 65535]", c.Port, trafficPort)
	}
	return nil
}

// checkRequest refuses an invalid port or path of a check over HTTP.
func (c healthCheck) checkRequest() error {
	if err := c.checkPort(); err != nil {
		return err
	}
	if !strings.HasPrefix(c.Path, "/") || len(c.Path) > 1024 || strings.ContainsAny(c.Path, " \t\r\n") {
		return invalid(
			"Health check path '%s' must begin with a '/' character, and can only contain printable ASCII "+
				"characters, without spaces",
			c.Path,
		)
	}
	return nil
}
