package elbv2

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

var contentTypes = []string{"text/plain", "text/css", "text/html", "application/javascript", "application/json"}

// readActions validates the actions of one of lb's listeners or rules (Elastic
// Load Balancing API Reference, Action). parameter is the name under which the
// request has them.
func readActions(
	r store.Reader,
	lb *store.LoadBalancer,
	parameter string,
	given []types.Action,
) ([]store.Action, error) {
	switch len(given) {
	case 0:
		return nil, model.Null(parameter)
	case 1:
	default: // on AWS, every action but the last authenticates
		for _, action := range given {
			if isAuthentication(action.Type) {
				return nil, wire.NotImplemented("actions of type %s", action.Type)
			}
		}
		return nil, wire.Errorf(
			"TooManyActions",
			"You can specify exactly one of 'forward', 'redirect' and 'fixed-response' actions",
		)
	}
	in := given[0]
	if err := model.Between(parameter+".1.member.order", in.Order, 1, 50000); err != nil {
		return nil, err
	}
	action := store.Action{Type: string(in.Type), Order: aws.ToInt32(in.Order)}
	var err error
	switch in.Type {
	case types.ActionTypeEnumForward:
		action.Stickiness, action.StickinessSeconds, err = readGroupStickiness(in.ForwardConfig)
		if err == nil {
			action.Forward, err = readForward(r, lb, in, action.Stickiness)
		}
	case types.ActionTypeEnumRedirect:
		action.Redirect, err = readRedirect(parameter, in.RedirectConfig)
	case types.ActionTypeEnumFixedResponse:
		action.FixedResponse, err = readFixedResponse(parameter, in.FixedResponseConfig)
	default:
		if isAuthentication(in.Type) {
			return nil, wire.NotImplemented("actions of type %s", in.Type)
		}
		return nil, model.OutOfSet(parameter+".1.member.type", in.Type, "forward", "redirect", "fixed-response")
	}
	return []store.Action{action}, err
}

// isAuthentication reports whether actions of type t authenticate clients.
func isAuthentication(t types.ActionTypeEnum) bool {
	return t == types.ActionTypeEnumAuthenticateCognito || t == types.ActionTypeEnumAuthenticateOidc ||
		t == types.ActionTypeEnumJwtValidation
}

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
	case r.Protocol == "#{protocol}" && r.Host == "#{host}" && r.Port == "#{port}" && r.Path == "/#{path}":
		return wire.Errorf(
			"InvalidLoadBalancerAction",
			"The redirect configuration is not valid because it creates a loop.",
		)
	}
	return nil
}

func readFixedResponse(parameter string, in *types.FixedResponseActionConfig) (*store.FixedResponse, error) {
	if in == nil {
		return nil, model.Null(parameter + ".1.member.fixedResponseConfig")
	}
	out := &store.FixedResponse{
		StatusCode:  aws.ToString(in.StatusCode),
		ContentType: aws.ToString(in.ContentType),
		Body:        aws.ToString(in.MessageBody),
	}
	code, err := strconv.Atoi(out.StatusCode)
	switch {
	case err != nil || len(out.StatusCode) != 3 || code/100 != 2 && code/100 != 4 && code/100 != 5:
		return nil, model.Refuse(
			"fixedResponseConfig.statusCode", out.StatusCode, "satisfy regular expression pattern: ^(2|4|5)\\d\\d$",
		)
	case out.ContentType != "" && !slices.Contains(contentTypes, out.ContentType):
		return nil, invalid("The content type '%s' is not supported", out.ContentType)
	case len(out.Body) > 1024:
		return nil, model.TooLong("fixedResponseConfig.messageBody", 1024)
	}
	return out, nil
}

func describeActions(actions []store.Action) []types.Action {
	out := make([]types.Action, 0, len(actions))
	for _, action := range actions {
		a := types.Action{Type: types.ActionTypeEnum(action.Type)}
		if action.Order != 0 {
			a.Order = new(action.Order)
		}
		if r := action.Redirect; r != nil {
			a.RedirectConfig = &types.RedirectActionConfig{
				StatusCode: types.RedirectActionStatusCodeEnum(r.StatusCode), Protocol: new(r.Protocol),
				Host: new(r.Host), Port: new(r.Port), Path: new(r.Path), Query: new(r.Query),
			}
		}
		if f := action.FixedResponse; f != nil {
			a.FixedResponseConfig = &types.FixedResponseActionConfig{
				StatusCode:  new(f.StatusCode),
				ContentType: new(f.ContentType),
				MessageBody: new(f.Body),
			}
		}
		describeForward(&a, action)
		out = append(out, a)
	}
	return out
}
