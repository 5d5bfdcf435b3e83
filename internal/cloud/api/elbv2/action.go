package elbv2

import (
	"cmp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// readActions validates the actions of one of lb's listeners or rules (Elastic
// Load Balancing API Reference, Action). parameter is the name under which the
// request has them.
func (a *API) readActions(
	r store.Reader,
	lb *store.LoadBalancer,
	parameter string,
	given []types.Action,
) ([]store.Action, error) {
	if len(given) == 0 {
		return nil, model.Null(parameter)
	}
	for _, action := range given {
		if isAuthentication(action.Type) && !lb.IsNetwork() && !a.records(action.Type) {
			return nil, wire.NotImplemented("actions of type %s", action.Type)
		}
	}
	if answers(given) > 1 {
		return nil, wire.Errorf(
			"TooManyActions",
			"You can specify exactly one of 'forward', 'redirect' and 'fixed-response' actions",
		)
	}
	var actions []store.Action
	for _, in := range given {
		action, err := readAction(r, lb, parameter, in)
		if err != nil {
			return nil, err
		}
		actions = append(actions, action)
	}
	return inOrder(actions)
}

// records reports whether actions of a type that authenticates are recorded: they are those of
// simulated load balancers, which have no traffic.
func (a *API) records(t types.ActionTypeEnum) bool {
	return a.simulated && t != types.ActionTypeEnumJwtValidation
}

// answers returns how many of the actions answer the request.
func answers(given []types.Action) (n int) {
	for _, action := range given {
		if !isAuthentication(action.Type) {
			n++
		}
	}
	return n
}

// readAction validates one action.
func readAction(r store.Reader, lb *store.LoadBalancer, parameter string, in types.Action) (store.Action, error) {
	if lb.IsNetwork() {
		if err := checkNetworkAction(in); err != nil {
			return store.Action{}, err
		}
	}
	if err := model.Between(parameter+".1.member.order", in.Order, 1, 50000); err != nil {
		return store.Action{}, err
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
	case types.ActionTypeEnumAuthenticateOidc:
		action.Authentication, err = readOIDC(parameter, in.AuthenticateOidcConfig)
	case types.ActionTypeEnumAuthenticateCognito:
		action.Authentication, err = readCognito(parameter, in.AuthenticateCognitoConfig)
	default:
		err = model.OutOfSet(parameter+".1.member.type", in.Type, "forward", "redirect", "fixed-response")
	}
	return action, err
}

// inOrder returns the actions of a listener or rule in their order. The last of them answers the request, and the
// others authenticate its client.
func inOrder(actions []store.Action) ([]store.Action, error) {
	if len(actions) == 1 && actions[0].Authentication == nil {
		return actions, nil
	}
	slices.SortStableFunc(actions, func(a, b store.Action) int { return cmp.Compare(a.Order, b.Order) })
	for i, action := range actions {
		if action.Order == 0 || i > 0 && action.Order == actions[i-1].Order {
			return nil, invalid("Each of several actions must have an order of its own")
		}
	}
	if actions[len(actions)-1].Authentication != nil {
		return nil, wire.Errorf("InvalidLoadBalancerAction",
			"The last action must be a 'forward', 'redirect' or 'fixed-response' action")
	}
	if len(actions) > 2 {
		return nil, wire.Errorf("TooManyActions",
			"You can specify at most one of 'authenticate-oidc' and 'authenticate-cognito' actions")
	}
	return actions, nil
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
	if a := actions[0]; a.Authentication != nil && l.Protocol != "HTTPS" {
		return wire.Errorf("InvalidLoadBalancerAction",
			"Actions of type '%s' are supported only on HTTPS listeners", a.Type)
	}
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
		describeAuthentication(&a, action.Authentication)
		describeForward(&a, action)
		out = append(out, a)
	}
	return out
}
