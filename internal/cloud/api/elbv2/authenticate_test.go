package elbv2_test

import (
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/api/elbv2"
)

func oidc(order int32) types.Action {
	return types.Action{
		Type: types.ActionTypeEnumAuthenticateOidc, Order: &order,
		AuthenticateOidcConfig: &types.AuthenticateOidcActionConfig{
			Issuer: new("https://id.example"), AuthorizationEndpoint: new("https://id.example/authorize"),
			TokenEndpoint: new("https://id.example/token"), UserInfoEndpoint: new("https://id.example/user"),
			ClientId: new("web"), ClientSecret: new("hidden"),
			AuthenticationRequestExtraParams: map[string]string{"prompt": "login"},
		},
	}
}

func cognito(order int32) types.Action {
	return types.Action{
		Type: types.ActionTypeEnumAuthenticateCognito, Order: &order,
		AuthenticateCognitoConfig: &types.AuthenticateCognitoActionConfig{
			UserPoolArn:      new("arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_a"),
			UserPoolClientId: new("web"), UserPoolDomain: new("users"), SessionTimeout: new(int64(60)),
			OnUnauthenticatedRequest: types.AuthenticateCognitoActionConditionalBehaviorEnumAllow,
		},
	}
}

func ordered(action types.Action, order int32) types.Action {
	action.Order = &order
	return action
}

func TestASimulatedLoadBalancerRecordsHowItAuthenticates(t *testing.T) {
	w := newWorldOf(t, elbv2.Config{Simulated: true})
	w.addCertificates(1)
	lb, answer := w.balancer(), fixedResponse("200")[0]
	in := httpsInput(lb, 0)
	in.DefaultActions = []types.Action{ordered(answer, 2), oidc(1)}
	l := must(w.CreateListener(w.ctx, in))(t).Listeners[0]
	if len(l.DefaultActions) != 2 {
		t.Fatalf("actions %+v", l.DefaultActions)
	}
	c := l.DefaultActions[0].AuthenticateOidcConfig
	if c == nil || *c.SessionCookieName != "AWSELBAuthSessionCookie" || *c.Scope != "openid" ||
		*c.SessionTimeout != 604800 || c.OnUnauthenticatedRequest != "authenticate" || c.ClientSecret != nil ||
		c.AuthenticationRequestExtraParams["prompt"] != "login" {
		t.Errorf("authentication %+v", c)
	}
	rule := must(w.CreateRule(w.ctx, &elb.CreateRuleInput{
		ListenerArn: l.ListenerArn, Priority: new(int32(1)), Conditions: []types.RuleCondition{
			{Field: new("path-pattern"), Values: []string{"/admin"}},
		},
		Actions: []types.Action{cognito(1), ordered(answer, 2)},
	}))(t).Rules[0]
	if c := rule.Actions[0].AuthenticateCognitoConfig; c == nil || *c.UserPoolDomain != "users" ||
		*c.SessionTimeout != 60 || c.OnUnauthenticatedRequest != "allow" {
		t.Errorf("authentication %+v", c)
	}
	insecure := oidc(1)
	insecure.AuthenticateOidcConfig.TokenEndpoint = new("http://id.example/token")
	secret := oidc(1)
	secret.AuthenticateOidcConfig.ClientSecret = nil
	for _, test := range []struct {
		actions    []types.Action
		code, text string
	}{
		{[]types.Action{oidc(1)}, "InvalidLoadBalancerAction", "last action"},
		{[]types.Action{oidc(2), ordered(answer, 1)}, "InvalidLoadBalancerAction", "last action"},
		{[]types.Action{oidc(1), answer}, "ValidationError", "order of its own"},
		{[]types.Action{oidc(1), cognito(2), ordered(answer, 3)}, "TooManyActions", "at most one"},
		{[]types.Action{insecure, ordered(answer, 2)}, "ValidationError", "HTTPS URL"},
		{[]types.Action{secret, ordered(answer, 2)}, "ValidationError", "client secret"},
		{[]types.Action{{Type: "authenticate-oidc", Order: new(int32(1))}, ordered(answer, 2)},
			"ValidationError", "authenticateOidcConfig"},
		{[]types.Action{{Type: "jwt-validation", Order: new(int32(1))}, ordered(answer, 2)},
			"NotImplemented", "jwt-validation"},
	} {
		_, err := w.ModifyListener(w.ctx, &elb.ModifyListenerInput{
			ListenerArn: l.ListenerArn, DefaultActions: test.actions,
		})
		wantError(t, err, test.code, test.text)
	}
	_, err := w.CreateListener(w.ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Port: new(int32(80)), Protocol: types.ProtocolEnumHttp,
		DefaultActions: in.DefaultActions,
	})
	wantError(t, err, "InvalidLoadBalancerAction", "HTTPS listeners")
}
