package sts

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/session"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/webidentity"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Anonymous are the operations that need no signature: a token takes its place.
var Anonymous = []string{"AssumeRoleWithWebIdentity"}

// Limits of tokens (AWS STS API Reference, AssumeRoleWithWebIdentity).
const (
	minToken = 4
	maxToken = 20000
)

// AssumeRoleWithWebIdentity returns temporary credentials of a role for somebody for whom an OpenID Connect provider
// vouches. The provider's keys are those that the user has put into the state folder: the local cloud makes no
// requests to providers.
func (a *API) AssumeRoleWithWebIdentity(
	ctx context.Context, in *sts.AssumeRoleWithWebIdentityInput,
) (*sts.AssumeRoleWithWebIdentityOutput, error) {
	if err := checkWebIdentity(in); err != nil {
		return nil, err
	}
	if a.Sessions == nil || a.AssumeRoleFor == nil || a.ProviderKeys == nil {
		return nil, wire.NotImplemented("sts:AssumeRoleWithWebIdentity without roles")
	}
	account := identity.RegionOfARN(*in.RoleArn).Account()
	token, provider, err := a.openToken(account, *in.WebIdentityToken)
	if err != nil {
		return nil, err
	}
	claims := token.Claims
	tags, err := claimedTags(claims)
	if err != nil {
		return nil, err
	}
	s := session.Session{
		Account: account, Name: *in.RoleSessionName, Policy: aws.ToString(in.Policy),
		PolicyARNs: policyARNs(in.PolicyArns), Provider: provider.ARN, SourceIdentity: claims.SourceIdentity,
	}
	if err := cmp.Or(a.checkPolicies(s), tagSession(&s, nil, tags, claims.Session.Transitive)); err != nil {
		return nil, err
	}
	size, err := packedSize(s)
	if err != nil {
		return nil, err
	}
	role, err := a.AssumeRoleFor(
		ctx, provider.ARN, *in.RoleArn, actionsFor("sts:AssumeRoleWithWebIdentity", s),
		webKeys(in, provider, claims, tags),
	)
	if err != nil {
		return nil, err
	}
	seconds := constraint.Default(in.DurationSeconds, defaultSession)
	c, user, err := a.issueRole(role, s, seconds)
	if err != nil {
		return nil, err
	}
	out := &sts.AssumeRoleWithWebIdentityOutput{
		AssumedRoleUser: user, Credentials: c, Provider: &provider.ARN, Audience: aws.String(audience(claims)),
		SubjectFromWebIdentityToken: &claims.Subject,
	}
	if hasPacked(s) {
		// Clients still read it, although the SDK deprecates it.
		out.PackedPolicySize = &size //nolint:staticcheck // see above
	}
	if s.SourceIdentity != "" {
		out.SourceIdentity = &s.SourceIdentity
	}
	return out, nil
}

// openToken returns a token that a provider of an account issued, with the provider.
func (a *API) openToken(account, text string) (*webidentity.Token, *store.OpenIDProvider, error) {
	token, err := webidentity.Parse(text)
	if err != nil {
		return nil, nil, invalidToken("The ID Token provided is not a valid JWT. " +
			"(You may see this error if you sent an Access Token)")
	}
	if err := checkClaims(token.Claims); err != nil {
		return nil, nil, err
	}
	address := strings.TrimSuffix(strings.TrimPrefix(token.Claims.Issuer, "https://"), "/")
	arn := identity.ARN("iam", identity.RegionOf(account, ""), "oidc-provider/"+address)
	provider, ok := store.OpenIDProviders.Get(a.Store.View(), arn)
	if !ok || !strings.HasPrefix(token.Claims.Issuer, "https://") {
		return nil, nil, invalidToken("No OpenIDConnect provider found in your account for " + token.Claims.Issuer)
	}
	keys, err := a.ProviderKeys(provider.URL)
	if err == nil {
		err = token.Verify(keys)
	}
	switch {
	case errors.Is(err, webidentity.ErrSignature):
		return nil, nil, invalidToken("The signature of the token is not valid.")
	case err != nil:
		a.Log.Warn("verify a token", slog.String("provider", provider.ARN), slog.Any("error", err))
		return nil, nil, invalidToken("Couldn't retrieve verification key from your identity provider,  please " +
			"reference AssumeRoleWithWebIdentity documentation for requirements")
	}
	if !slices.Contains(provider.ClientIDs, audience(token.Claims)) {
		return nil, nil, invalidToken("Incorrect token audience")
	}
	return token, provider, a.checkTimes(token.Claims)
}

// audience returns whom a token is for.
func audience(c webidentity.Claims) string {
	if c.Party != "" || len(c.Audience) == 0 {
		return c.Party
	}
	return c.Audience[0]
}

// checkClaims refuses a token without one of the claims that AWS requires.
func checkClaims(c webidentity.Claims) error {
	for _, claim := range []struct {
		name string
		set  bool
	}{
		{"iss", c.Issuer != ""}, {"sub", c.Subject != ""}, {"aud", audience(c) != ""}, {"exp", c.Expires != nil},
		{"iat", c.Issued != nil},
	} {
		if !claim.set {
			return invalidToken("Missing a required claim: " + claim.name)
		}
	}
	if c.SourceIdentity == "" {
		return nil
	}
	return checkSourceIdentity(&c.SourceIdentity)
}

// checkTimes refuses a token that has expired, or is not valid yet. Clocks may differ by five minutes.
func (a *API) checkTimes(c webidentity.Claims) error {
	const tolerance = 5 * time.Minute
	now := a.Now().UTC()
	switch {
	case !now.Before(c.Expires.Time):
		return wire.Errorf("ExpiredTokenException", "Token expired: current date/time %d must be before the "+
			"expiration date/time %d", now.Unix(), c.Expires.Unix())
	case c.Issued.After(now.Add(tolerance)), c.NotBefore != nil && c.NotBefore.After(now.Add(tolerance)):
		return invalidToken("Token is not yet valid")
	}
	return nil
}

func invalidToken(message string) error {
	return &wire.Error{
		Code: "InvalidIdentityToken", Name: "InvalidIdentityTokenException", Message: message,
		Status: http.StatusBadRequest,
	}
}

// claimedTags returns the session tags that a token asks for.
func claimedTags(c webidentity.Claims) ([]types.Tag, error) {
	var tags []types.Tag
	for key, values := range c.Session.Tags {
		if len(values) != 1 {
			return nil, invalidToken("A principal tag must have one value")
		}
		tags = append(tags, types.Tag{Key: &key, Value: &values[0]})
	}
	transitive := c.Session.Transitive
	return tags, cmp.Or(checkTagForm(tags, transitive), checkTags(tags, transitive))
}

// webKeys returns the condition keys of a request (IAM User Guide, "IAM and AWS STS condition context keys").
func webKeys(
	in *sts.AssumeRoleWithWebIdentityInput, p *store.OpenIDProvider, c webidentity.Claims, tags []types.Tag,
) map[string][]string {
	keys := map[string][]string{
		"sts:RoleSessionName": {*in.RoleSessionName}, "aws:FederatedProvider": {p.ARN},
		p.URL + ":sub": {c.Subject}, p.URL + ":aud": {audience(c)},
	}
	if len(c.Methods) > 0 {
		keys[p.URL+":amr"] = c.Methods
	}
	if c.SourceIdentity != "" {
		keys["sts:SourceIdentity"] = []string{c.SourceIdentity}
	}
	tagKeys(keys, tags, c.Session.Transitive)
	return keys
}

// checkWebIdentity refuses requests that are invalid or unsupported.
func checkWebIdentity(in *sts.AssumeRoleWithWebIdentityInput) error {
	token := aws.ToString(in.WebIdentityToken)
	switch {
	case in.MinimumSessionTokenSize != nil:
		return wire.NotImplemented("the parameter MinimumSessionTokenSize of sts:AssumeRoleWithWebIdentity")
	case in.ProviderId != nil:
		return wire.NotImplemented("the parameter ProviderId of sts:AssumeRoleWithWebIdentity")
	case in.WebIdentityToken == nil:
		return model.Null("webIdentityToken")
	case len(token) < minToken || len(token) > maxToken:
		return model.RefuseWithoutValue(
			"webIdentityToken", "have length between %d and %d, inclusive", minToken, maxToken,
		)
	}
	return cmp.Or(
		checkRole(in.RoleArn, in.RoleSessionName), checkPolicyForm(in.Policy, in.PolicyArns),
		model.Between("durationSeconds", in.DurationSeconds, minSession, maxSession),
	)
}
