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

// defaultHealthCheck applies to target groups created without settings
// (Application Load Balancer guide, Health checks: default values).
var defaultHealthCheck = healthCheck{
	Enabled: true, Protocol: string(types.ProtocolEnumHttp), Port: trafficPort, Path: "/",
	Interval: 30, Timeout: 5, Healthy: 5, Unhealthy: 2, Matcher: "200",
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

var matcherForm = regexp.MustCompile(`^[2-4]\d\d(-[2-4]\d\d)?(,[2-4]\d\d(-[2-4]\d\d)?)*$`)

// modified returns the health check with the settings of in applied.
func (c healthCheck) modified(in healthCheckInput) (store.HealthCheck, error) {
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
	c.Port, c.Path = constraint.Default(in.port, c.Port), constraint.Default(in.path, c.Path)
	if in.protocol != "" {
		c.Protocol = string(in.protocol)
	}
	if in.matcher != nil {
		if in.matcher.GrpcCode != nil {
			return none, invalid("The GRPC code matcher is only supported for the protocol version GRPC")
		}
		c.Matcher = constraint.Default(in.matcher.HttpCode, c.Matcher)
	}
	if in.enabled != nil && !*in.enabled {
		return none, wire.Errorf(
			"InvalidConfigurationRequest",
			"Health check enabled must be true for target groups with target type 'instance' or 'ip'",
		)
	}
	return store.HealthCheck(c), c.check()
}

// check refuses invalid settings and combinations.
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
			"Health check path '%s' must begin with a '/' character, and can only contain printable ASCII "+
				"characters, without spaces",
			c.Path,
		)
	case !matcherForm.MatchString(c.Matcher):
		return invalid("Health check matcher HTTP code '%s' must be within '200-499' inclusive", c.Matcher)
	}
	return nil
}
