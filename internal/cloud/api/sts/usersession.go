package sts

import (
	"cmp"
	"context"
	"net/http"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/session"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// How long sessions of users last, in seconds (AWS STS API Reference, GetSessionToken and
// GetFederationToken).
const (
	maxUserSession     = 129600
	defaultUserSession = 43200
)

const federatedName = `[\w+=,.@-]*`

var federatedForm = regexp.MustCompile(`^[\w+=,.@-]{2,32}$`)

// GetSessionToken returns temporary credentials of the calling user.
func (a *API) GetSessionToken(
	ctx context.Context, in *sts.GetSessionTokenInput,
) (*sts.GetSessionTokenOutput, error) {
	if in.MinimumSessionTokenSize != nil {
		return nil, wire.NotImplemented("the parameter MinimumSessionTokenSize of sts:GetSessionToken")
	}
	if err := checkFactorForm(in.SerialNumber, in.TokenCode); err != nil {
		return nil, err
	}
	if err := model.Between("durationSeconds", in.DurationSeconds, minSession, maxUserSession); err != nil {
		return nil, err
	}
	if wire.CallerFrom(ctx).Principal.Session != nil {
		return nil, cannotCall("GetSessionToken")
	}
	factor, err := a.checkFactor(ctx, in.SerialNumber, in.TokenCode)
	if err != nil {
		return nil, err
	}
	c, err := a.issue(ctx, "GetSessionToken", in.DurationSeconds, session.Session{MFA: factor})
	if err != nil {
		return nil, err
	}
	return &sts.GetSessionTokenOutput{Credentials: describeCredentials(c)}, nil
}

// cannotCall returns the error of an operation that needs a key that is not temporary.
func cannotCall(operation string) error {
	return &wire.Error{
		Code: "AccessDenied", Message: "Cannot call " + operation + " with session credentials",
		Status: http.StatusForbidden,
	}
}

// issue returns temporary credentials of the calling user. s has what is special about the
// session.
func (a *API) issue(
	ctx context.Context, operation string, seconds *int32, s session.Session,
) (session.Credentials, error) {
	caller := wire.CallerFrom(ctx)
	switch {
	case a.Sessions == nil:
		return session.Credentials{}, wire.NotImplemented("sts:%s without temporary credentials", operation)
	case caller.Principal.Session != nil:
		return session.Credentials{}, cannotCall(operation)
	}
	s.UserID, s.UserName, s.Account = userID(caller), caller.Principal.User, caller.Region.Account()
	if caller.Principal.Owner() {
		s.UserName = identity.UserName
	}
	lasts := time.Duration(constraint.Default(seconds, defaultUserSession)) * time.Second
	s.Issued = a.Now().UTC().Truncate(time.Second)
	s.Expires = s.Issued.Add(lasts)
	return a.Sessions.Issue(s)
}

// GetFederationToken returns temporary credentials of a federated user, who may do what both
// the calling user and the policy of the request allow.
func (a *API) GetFederationToken(
	ctx context.Context, in *sts.GetFederationTokenInput,
) (*sts.GetFederationTokenOutput, error) {
	if err := checkFederated(in); err != nil {
		return nil, err
	}
	region := wire.GlobalFrom(ctx)
	s := session.Session{
		Account: region.Account(), Name: *in.Name, Policy: aws.ToString(in.Policy),
		PolicyARNs: policyARNs(in.PolicyArns),
	}
	if err := cmp.Or(a.checkPolicies(s), checkTags(in.Tags, nil), tagSession(&s, nil, in.Tags, nil)); err != nil {
		return nil, err
	}
	size, err := packedSize(s)
	if err != nil {
		return nil, err
	}
	c, err := a.issue(ctx, "GetFederationToken", in.DurationSeconds, s)
	if err != nil {
		return nil, err
	}
	out := &sts.GetFederationTokenOutput{
		Credentials: describeCredentials(c),
		FederatedUser: &types.FederatedUser{
			Arn:             aws.String(identity.ARN("sts", region, "federated-user/"+*in.Name)),
			FederatedUserId: aws.String(region.Account() + ":" + *in.Name),
		},
	}
	// Clients still read it, although the SDK deprecates it.
	out.PackedPolicySize = &size //nolint:staticcheck // see above
	return out, nil
}

// checkFederated refuses requests that are invalid or unsupported.
func checkFederated(in *sts.GetFederationTokenInput) error {
	name := aws.ToString(in.Name)
	switch {
	case in.MinimumSessionTokenSize != nil:
		return wire.NotImplemented("the parameter MinimumSessionTokenSize of sts:GetFederationToken")
	case in.Name == nil:
		return model.Null("name")
	case len(name) < 2 || len(name) > 32:
		return model.Refuse("name", name, "have length between 2 and 32, inclusive")
	case !federatedForm.MatchString(name):
		return model.Refuse("name", name, "satisfy regular expression pattern: %s", federatedName)
	}
	return cmp.Or(
		checkPolicyForm(in.Policy, in.PolicyArns), checkTagForm(in.Tags, nil),
		model.Between("durationSeconds", in.DurationSeconds, minSession, maxUserSession),
	)
}

var keyForm = regexp.MustCompile(`^\w{16,128}$`)

// GetAccessKeyInfo returns the account of an access key of a user. That of temporary
// credentials is known if they are the caller's.
func (a *API) GetAccessKeyInfo(
	ctx context.Context, in *sts.GetAccessKeyInfoInput,
) (*sts.GetAccessKeyInfoOutput, error) {
	caller := wire.CallerFrom(ctx)
	id := aws.ToString(in.AccessKeyId)
	switch s := caller.Principal.Session; {
	case s != nil && s.UserID != "":
		return nil, cannotCall("GetAccessKeyInfo")
	case in.AccessKeyId == nil:
		return nil, model.Null("accessKeyId")
	case id == caller.AccessKeyID:
		return &sts.GetAccessKeyInfoOutput{Account: aws.String(caller.Region.Account())}, nil
	case !keyForm.MatchString(id):
		return nil, model.Refuse("accessKeyId", id, "have length between 16 and 128, inclusive")
	}
	if a.Store != nil {
		if row, ok := store.AccessKeys.Get(a.Store.View(), id); ok {
			return &sts.GetAccessKeyInfoOutput{Account: aws.String(row.Account.Account())}, nil
		}
	}
	return nil, &wire.Error{
		Code: "InvalidClientTokenId", Message: "The access key ID does not exist.", Status: http.StatusForbidden,
	}
}
