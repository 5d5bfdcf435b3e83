package elbv2

import (
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// healthCheck is the settings of a health check, to be changed.
type healthCheck store.HealthCheck

// defaultHealthCheck is what a target group has unless it is asked otherwise
// (Application Load Balancer guide, Health checks: default values).
var defaultHealthCheck = healthCheck{
	Enabled: true, Protocol: string(types.ProtocolEnumHttp), Port: trafficPort, Path: "/",
	Interval: 30, Timeout: 5, Healthy: 5, Unhealthy: 2, Matcher: "200",
}

const trafficPort = "traffic-port"

func healthCheckOf(group *store.TargetGroup) healthCheck { return healthCheck(group.HealthCheck) }

// healthCheckInput is what a request says of a health check.
type healthCheckInput struct {
	enabled                               *bool
	protocol                              types.ProtocolEnum
	port, path                            *string
	interval, timeout, healthy, unhealthy *int32
	matcher                               *types.Matcher
}

var matcherForm = regexp.MustCompile(`^[2-4]\d\d(-[2-4]\d\d)?(,[2-4]\d\d(-[2-4]\d\d)?)*$`)

// modified is the health check changed as wished.
func (c healthCheck) modified(w healthCheckInput) (store.HealthCheck, error) {
	none := store.HealthCheck{}
	for _, n := range []struct {
		name      string
		given     *int32
		low, high int32
		to        *int32
	}{
		{"healthCheckIntervalSeconds", w.interval, 5, 300, &c.Interval},
		{"healthCheckTimeoutSeconds", w.timeout, 2, 120, &c.Timeout},
		{"healthyThresholdCount", w.healthy, 2, 10, &c.Healthy},
		{"unhealthyThresholdCount", w.unhealthy, 2, 10, &c.Unhealthy},
	} {
		if err := model.Between(n.name, n.given, n.low, n.high); err != nil {
			return none, err
		}
		*n.to = constraint.Default(n.given, *n.to)
	}
	c.Port, c.Path = constraint.Default(w.port, c.Port), constraint.Default(w.path, c.Path)
	if w.protocol != "" {
		c.Protocol = string(w.protocol)
	}
	if w.matcher != nil {
		if w.matcher.GrpcCode != nil {
			return none, invalid("The GRPC code matcher is only supported for the protocol version GRPC")
		}
		c.Matcher = constraint.Default(w.matcher.HttpCode, c.Matcher)
	}
	if w.enabled != nil && !*w.enabled {
		return none, wire.Errorf(
			"InvalidConfigurationRequest",
			"Health check enabled must be true for target groups with target type 'instance' or 'ip'",
		)
	}
	return store.HealthCheck(c), c.check()
}

// check refuses settings that do not go together or cannot be.
func (c healthCheck) check() error {
	switch {
	case c.Timeout >= c.Interval:
		return invalid("Health check interval must be greater than the timeout.")
	case c.Protocol != string(types.ProtocolEnumHttp) && c.Protocol != string(types.ProtocolEnumHttps):
		return invalid("Health check protocol '%s' must be one of 'HTTP, HTTPS'", c.Protocol)
	case c.Port != trafficPort && !numberBetween(1, 65535)(c.Port):
		return invalid("Health check port '%s' must be '%s' or in the range [1, 65535]", c.Port, trafficPort)
	case !strings.HasPrefix(c.Path, "/") || len(c.Path) > 1024 || strings.ContainsAny(c.Path, " \t\r\n"):
		return invalid(
			"Health check path '%s' must begin with a '/' character, and can only contain printable ASCII characters, without spaces",
			c.Path,
		)
	case !matcherForm.MatchString(c.Matcher):
		return invalid("Health check matcher HTTP code '%s' must be within '200-499' inclusive", c.Matcher)
	}
	return nil
}
