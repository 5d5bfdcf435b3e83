package elbv2

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

func readRedirect(parameter string, in *types.RedirectActionConfig) (*store.Redirect, error) {
	if in == nil {
		return nil, model.Null(parameter + ".1.member.redirectConfig")
	}
	out := &store.Redirect{
		Protocol:   constraint.Default(in.Protocol, "#{protocol}"),
		Host:       constraint.Default(in.Host, "#{host}"),
		Port:       constraint.Default(in.Port, "#{port}"),
		Path:       constraint.Default(in.Path, "/#{path}"),
		Query:      constraint.Default(in.Query, "#{query}"),
		StatusCode: string(in.StatusCode),
	}
	return out, checkRedirect(out)
}

func checkRedirect(r *store.Redirect) error {
	codes := types.RedirectActionStatusCodeEnum("").Values()
	switch {
	case !slices.Contains(codes, types.RedirectActionStatusCodeEnum(r.StatusCode)):
		return model.OutOfSet("redirectConfig.statusCode", r.StatusCode, "HTTP_301", "HTTP_302")
	case !slices.Contains([]string{"HTTP", "HTTPS", "#{protocol}"}, r.Protocol):
		return invalid("Redirect protocol '%s' must be one of 'HTTP, HTTPS, #{protocol}'", r.Protocol)
	case r.Port != "#{port}" && !numberBetween(1, 65535)(r.Port):
		return invalid("Redirect port '%s' must be in the range [1, 65535] or '#{port}'", r.Port)
	case !strings.HasPrefix(r.Path, "/") || len(r.Path) > 128:
		return invalid("Redirect path '%s' must begin with '/' and have at most 128 characters", r.Path)
	case r.Host == "" || len(r.Host) > 128 || len(r.Query) > 128:
		return invalid("Redirect host and query can have at most 128 characters, and the host at least one")
	}
	return nil
}

// refuseLoops refuses redirects that lead back to the listener they come from: a redirect
// must change the protocol, the port, the host or the path (Elastic Load Balancing API
// Reference, RedirectActionConfig).
func refuseLoops(l *store.Listener, actions []store.Action) error {
	port := strconv.Itoa(int(l.Port))
	for _, action := range actions {
		if r := action.Redirect; r != nil && (r.Protocol == "#{protocol}" || r.Protocol == l.Protocol) &&
			(r.Port == "#{port}" || r.Port == port) && r.Host == "#{host}" && r.Path == "/#{path}" {
			return wire.Errorf(
				"InvalidLoadBalancerAction", "The redirect configuration is not valid because it creates a loop.",
			)
		}
	}
	return nil
}
