package sts

import (
	"cmp"
	"context"
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

// model returns the errors of requests that violate the API's model.
const model = constraint.Model("ValidationError")

// Limits of AssumeRole (AWS STS API Reference, AssumeRole).
const (
	minSession     = 900   // seconds
	maxSession     = 43200 // seconds; the role may set less
	defaultSession = 3600  // seconds
	maxChained     = 3600  // seconds, for a session that assumes a role
	maxExternalID  = 1224
	sessionName    = `[\w+=,.@-]*`
	externalID     = `[\w+=,.@:\/-]*`
)

var (
	nameForm       = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	externalIDForm = regexp.MustCompile(`^[\w+=,.@:/-]+$`)
	roleForm       = regexp.MustCompile(`^arn:aws:iam::\d{12}:role/[!-~]+$`)
)

// AssumeRole returns temporary credentials of a role that trusts the caller.
func (a *API) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	if err := checkAssumeRole(in); err != nil {
		return nil, err
	}
	if a.Sessions == nil {
		return nil, wire.NotImplemented("sts:AssumeRole without roles")
	}
	if s := wire.CallerFrom(ctx).Principal.Session; s != nil && s.Federated() {
		return nil, cannotCall("AssumeRole")
	}
	parent := parentOf(wire.CallerFrom(ctx))
	s, size, err := a.newRoleSession(parent, in)
	if err != nil {
		return nil, err
	}
	keys, err := a.requestKeys(ctx, in)
	if err != nil {
		return nil, err
	}
	role, err := a.Config.AssumeRole(ctx, *in.RoleArn, actionsFor("sts:AssumeRole", s), keys)
	if err != nil {
		return nil, err
	}
	seconds := constraint.Default(in.DurationSeconds, defaultSession)
	if parent != nil && seconds > maxChained {
		return nil, model.Errorf(
			"The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
		)
	}
	c, user, err := a.issueRole(role, s, seconds)
	if err != nil {
		return nil, err
	}
	out := &sts.AssumeRoleOutput{AssumedRoleUser: user, Credentials: c}
	if hasPacked(s) {
		// Clients still read it, although the SDK deprecates it.
		out.PackedPolicySize = &size //nolint:staticcheck // see above
	}
	if s.SourceIdentity != "" {
		out.SourceIdentity = &s.SourceIdentity
	}
	return out, nil
}

// issueRole returns the credentials of a session of a role that lasts some seconds.
func (a *API) issueRole(
	role *store.Role, s session.Session, seconds int32,
) (*types.Credentials, *types.AssumedRoleUser, error) {
	if seconds > max(role.MaxSession, defaultSession) {
		return nil, nil, model.Errorf("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	s.RoleID, s.RoleName = role.ID, role.Name
	s.Issued = a.Now().UTC().Truncate(time.Second)
	s.Expires = s.Issued.Add(time.Duration(seconds) * time.Second)
	c, err := a.Sessions.Issue(s)
	if err != nil {
		return nil, nil, err
	}
	return describeCredentials(c), &types.AssumedRoleUser{
		Arn:           aws.String(identity.ARN("sts", role.Region(), "assumed-role/"+role.Name+"/"+s.Name)),
		AssumedRoleId: aws.String(role.ID + ":" + s.Name),
	}, nil
}

// parentOf returns the session of a role that a caller is, or nil. Roles that it assumes are chained to its own.
func parentOf(caller wire.Caller) *session.Session {
	if s := caller.Principal.Session; s != nil && s.RoleID != "" {
		return s
	}
	return nil
}

// newRoleSession returns what a request says about the session of a role, and the percentage of their space that
// its policies and tags take.
func (a *API) newRoleSession(
	parent *session.Session, in *sts.AssumeRoleInput,
) (s session.Session, size int32, err error) {
	s = session.Session{
		Account: identity.RegionOfARN(*in.RoleArn).Account(), Name: *in.RoleSessionName,
		Policy: aws.ToString(in.Policy), PolicyARNs: policyARNs(in.PolicyArns),
		SourceIdentity: aws.ToString(in.SourceIdentity),
	}
	if err := cmp.Or(a.checkPolicies(s), checkTags(in.Tags, in.TransitiveTagKeys)); err != nil {
		return s, 0, err
	}
	if err := tagSession(&s, parent, in.Tags, in.TransitiveTagKeys); err != nil {
		return s, 0, err
	}
	if parent != nil && parent.SourceIdentity != "" {
		if in.SourceIdentity != nil && s.SourceIdentity != parent.SourceIdentity {
			return s, 0, model.Errorf("The source identity is already set for this assume role session")
		}
		s.SourceIdentity = parent.SourceIdentity
	}
	size, err = packedSize(s)
	return s, size, err
}

// actionsFor returns the actions that a new session needs: that of the operation first. Tags and a source identity need
// one too if the session inherits them (IAM User Guide, "Pass session tags in AWS STS", "Monitor and control actions
// taken with assumed roles").
func actionsFor(operation string, s session.Session) []string {
	actions := []string{operation}
	if len(s.Tags) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if s.SourceIdentity != "" {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	return actions
}

// requestKeys returns the condition keys of a request. It checks the second factor, if the request has one.
func (a *API) requestKeys(ctx context.Context, in *sts.AssumeRoleInput) (map[string][]string, error) {
	keys := map[string][]string{"sts:RoleSessionName": {*in.RoleSessionName}}
	if in.ExternalId != nil {
		keys["sts:ExternalId"] = []string{*in.ExternalId}
	}
	if in.SourceIdentity != nil {
		keys["sts:SourceIdentity"] = []string{*in.SourceIdentity}
	}
	tagKeys(keys, in.Tags, in.TransitiveTagKeys)
	factor, err := a.checkFactor(ctx, in.SerialNumber, in.TokenCode)
	if factor {
		keys["aws:MultiFactorAuthPresent"], keys["aws:MultiFactorAuthAge"] = []string{"true"}, []string{"0"}
	}
	return keys, err
}

func describeCredentials(c session.Credentials) *types.Credentials {
	return &types.Credentials{
		AccessKeyId: &c.AccessKeyID, SecretAccessKey: &c.SecretAccessKey, SessionToken: &c.Token,
		Expiration: &c.Expires,
	}
}

// checkAssumeRole refuses requests that are invalid or unsupported.
func checkAssumeRole(in *sts.AssumeRoleInput) error {
	for _, p := range []struct {
		name string
		set  bool
	}{
		{"MinimumSessionTokenSize", in.MinimumSessionTokenSize != nil},
		{"ProvidedContexts", len(in.ProvidedContexts) > 0},
	} {
		if p.set {
			return wire.NotImplemented("the parameter %s of sts:AssumeRole", p.name)
		}
	}
	return cmp.Or(
		checkRole(in.RoleArn, in.RoleSessionName),
		checkPolicyForm(in.Policy, in.PolicyArns), checkTagForm(in.Tags, in.TransitiveTagKeys),
		checkSourceIdentity(in.SourceIdentity), checkExternalID(in.ExternalId),
		checkFactorForm(in.SerialNumber, in.TokenCode),
		model.Between("durationSeconds", in.DurationSeconds, minSession, maxSession),
	)
}

// checkRole refuses the name of a role or of a session that violates the API's model.
func checkRole(arn, session *string) error {
	role, name := aws.ToString(arn), aws.ToString(session)
	switch {
	case arn == nil:
		return model.Null("roleArn")
	case session == nil:
		return model.Null("roleSessionName")
	case len(name) < 2 || len(name) > 64:
		return model.Refuse("roleSessionName", name, "have length between 2 and 64, inclusive")
	case !nameForm.MatchString(name):
		return model.Refuse("roleSessionName", name, "satisfy regular expression pattern: %s", sessionName)
	case !roleForm.MatchString(role):
		return model.Errorf("%s is invalid", role)
	}
	return nil
}

// checkSourceIdentity refuses a source identity that violates the API's model, which is that of session names.
func checkSourceIdentity(name *string) error {
	switch {
	case name == nil:
		return nil
	case len(*name) < 2 || len(*name) > 64:
		return model.Refuse("sourceIdentity", *name, "have length between 2 and 64, inclusive")
	case !nameForm.MatchString(*name):
		return model.Refuse("sourceIdentity", *name, "satisfy regular expression pattern: %s", sessionName)
	}
	return nil
}

func checkExternalID(id *string) error {
	switch {
	case id == nil:
		return nil
	case len(*id) < 2 || len(*id) > maxExternalID:
		return model.Refuse("externalId", *id, "have length between 2 and %d, inclusive", maxExternalID)
	case !externalIDForm.MatchString(*id):
		return model.Refuse("externalId", *id, "satisfy regular expression pattern: %s", externalID)
	}
	return nil
}
