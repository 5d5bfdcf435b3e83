package elbv2

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

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
	if lb.IsNetwork() {
		if err := checkNetworkAction(in); err != nil {
			return nil, err
		}
	}
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

// checkNetworkAction refuses what an action of a Network Load Balancer cannot have. Clients
// report the messages about target groups (aws-cloudformation/
// cloudformation-coverage-roadmap, issue 385; crossplane-contrib/provider-upjet-aws,
// issue 1771); on AWS, newer load balancers have both.
func checkNetworkAction(in types.Action) error {
	if slices.Contains(in.Type.Values(), in.Type) && in.Type != types.ActionTypeEnumForward {
		return wire.Errorf(
			"InvalidLoadBalancerAction",
			"Actions of type '%s' are not supported for load balancers of type 'network'", in.Type,
		)
	}
	if in.ForwardConfig == nil {
		return nil
	}
	if sticky := in.ForwardConfig.TargetGroupStickinessConfig; sticky != nil && aws.ToBool(sticky.Enabled) {
		return invalid("You cannot specify target group stickiness on load balancers of type 'network'")
	}
	if len(in.ForwardConfig.TargetGroups) > 1 {
		return invalid(
			"You cannot specify multiple target groups in a single action with a load balancer of type 'network'",
		)
	}
	if weighted := in.ForwardConfig.TargetGroups; len(weighted) > 0 && weighted[0].Weight != nil {
		return invalid("You cannot specify a target group weight on load balancers of type 'network'")
	}
	return nil
}

// checkActions refuses actions that do not suit the listener.
func checkActions(r store.Reader, l *store.Listener, actions []store.Action) error {
	if err := checkProtocols(r, l, actions); err != nil {
		return err
	}
	return refuseLoops(l, actions)
}

// isAuthentication reports whether actions of type t authenticate clients.
func isAuthentication(t types.ActionTypeEnum) bool {
	return t == types.ActionTypeEnumAuthenticateCognito || t == types.ActionTypeEnumAuthenticateOidc ||
		t == types.ActionTypeEnumJwtValidation
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
