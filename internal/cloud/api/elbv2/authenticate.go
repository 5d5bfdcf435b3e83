package elbv2

import (
	"cmp"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
)

// Defaults and limits of actions that authenticate clients (Elastic Load Balancing API Reference,
// AuthenticateOidcActionConfig, AuthenticateCognitoActionConfig).
const (
	sessionCookie  = "AWSELBAuthSessionCookie"
	sessionScope   = "openid"
	sessionSeconds = 604800
	maxParameters  = 10
)

// readOIDC validates how an OpenID Connect provider authenticates clients. The client's secret is not kept: nothing
// here would use it, and no answer has it.
func readOIDC(parameter string, in *types.AuthenticateOidcActionConfig) (*store.Authentication, error) {
	if in == nil {
		return nil, model.Null(parameter + ".1.member.authenticateOidcConfig")
	}
	for _, field := range []struct {
		name  string
		value *string
		isURL bool
	}{
		{"issuer", in.Issuer, true}, {"authorizationEndpoint", in.AuthorizationEndpoint, true},
		{"tokenEndpoint", in.TokenEndpoint, true}, {"userInfoEndpoint", in.UserInfoEndpoint, true},
		{"clientId", in.ClientId, false},
	} {
		if aws.ToString(field.value) == "" {
			return nil, model.Null(parameter + ".1.member.authenticateOidcConfig." + field.name)
		}
		if u, err := url.Parse(*field.value); field.isURL && (err != nil || u.Scheme != "https" || u.Host == "") {
			return nil, invalid("The %s '%s' must be an HTTPS URL", field.name, *field.value)
		}
	}
	if aws.ToString(in.ClientSecret) == "" && !aws.ToBool(in.UseExistingClientSecret) {
		return nil, invalid("You must specify a client secret")
	}
	return readSession(parameter, store.Authentication{
		Issuer: *in.Issuer, AuthorizationEndpoint: *in.AuthorizationEndpoint, TokenEndpoint: *in.TokenEndpoint,
		UserInfoEndpoint: *in.UserInfoEndpoint, ClientID: *in.ClientId,
		Cookie: aws.ToString(in.SessionCookieName), Scope: aws.ToString(in.Scope),
		Parameters: in.AuthenticationRequestExtraParams, Unauthenticated: string(in.OnUnauthenticatedRequest),
	}, in.SessionTimeout)
}

// readCognito validates how a user pool authenticates clients. Pools are not looked up: there is no Amazon Cognito.
func readCognito(parameter string, in *types.AuthenticateCognitoActionConfig) (*store.Authentication, error) {
	if in == nil {
		return nil, model.Null(parameter + ".1.member.authenticateCognitoConfig")
	}
	for _, field := range []struct {
		name  string
		value *string
	}{
		{"userPoolArn", in.UserPoolArn}, {"userPoolClientId", in.UserPoolClientId},
		{"userPoolDomain", in.UserPoolDomain},
	} {
		if aws.ToString(field.value) == "" {
			return nil, model.Null(parameter + ".1.member.authenticateCognitoConfig." + field.name)
		}
	}
	return readSession(parameter, store.Authentication{
		UserPool: *in.UserPoolArn, UserPoolClient: *in.UserPoolClientId, UserPoolDomain: *in.UserPoolDomain,
		Cookie: aws.ToString(in.SessionCookieName), Scope: aws.ToString(in.Scope),
		Parameters: in.AuthenticationRequestExtraParams, Unauthenticated: string(in.OnUnauthenticatedRequest),
	}, in.SessionTimeout)
}

// readSession validates what both kinds have, and adds the defaults.
func readSession(parameter string, a store.Authentication, seconds *int64) (*store.Authentication, error) {
	if len(a.Parameters) > maxParameters {
		return nil, invalid("You can specify at most %d extra parameters of authentication requests", maxParameters)
	}
	if seconds != nil && (*seconds < 1 || *seconds > sessionSeconds) {
		return nil, invalid("The session timeout must be between 1 and %d seconds", sessionSeconds)
	}
	a.Cookie, a.Scope = cmp.Or(a.Cookie, sessionCookie), cmp.Or(a.Scope, sessionScope)
	a.Seconds = constraint.Default(seconds, sessionSeconds)
	switch a.Unauthenticated = cmp.Or(a.Unauthenticated, "authenticate"); a.Unauthenticated {
	case "deny", "allow", "authenticate":
		return &a, nil
	}
	return nil, model.OutOfSet(
		parameter+".1.member.onUnauthenticatedRequest", a.Unauthenticated, "deny", "allow", "authenticate")
}

// describeAuthentication describes how clients are authenticated; nil: they are not.
func describeAuthentication(out *types.Action, a *store.Authentication) {
	switch {
	case a == nil:
	case a.UserPool != "":
		out.AuthenticateCognitoConfig = &types.AuthenticateCognitoActionConfig{
			UserPoolArn: &a.UserPool, UserPoolClientId: &a.UserPoolClient, UserPoolDomain: &a.UserPoolDomain,
			SessionCookieName: &a.Cookie, Scope: &a.Scope, SessionTimeout: &a.Seconds,
			AuthenticationRequestExtraParams: a.Parameters,
			OnUnauthenticatedRequest: types.AuthenticateCognitoActionConditionalBehaviorEnum(
				a.Unauthenticated),
		}
	default:
		out.AuthenticateOidcConfig = &types.AuthenticateOidcActionConfig{
			Issuer: &a.Issuer, AuthorizationEndpoint: &a.AuthorizationEndpoint, TokenEndpoint: &a.TokenEndpoint,
			UserInfoEndpoint: &a.UserInfoEndpoint, ClientId: &a.ClientID,
			SessionCookieName: &a.Cookie, Scope: &a.Scope, SessionTimeout: &a.Seconds,
			AuthenticationRequestExtraParams: a.Parameters,
			OnUnauthenticatedRequest: types.AuthenticateOidcActionConditionalBehaviorEnum(
				a.Unauthenticated),
		}
	}
}
