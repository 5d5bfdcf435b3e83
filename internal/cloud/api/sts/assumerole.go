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
	"aloft.dev/aloft/internal/cloud/policydocument"
	"aloft.dev/aloft/internal/cloud/session"
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
	maxPolicy      = 2048      // characters
	packedPolicy   = maxPolicy // size of a policy that PackedPolicySize counts as 100 percent
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
	policy := aws.ToString(in.Policy)
	if err := checkPolicy(policy); err != nil {
		return nil, err
	}
	keys := map[string][]string{"sts:RoleSessionName": {*in.RoleSessionName}}
	if in.ExternalId != nil {
		keys["sts:ExternalId"] = []string{*in.ExternalId}
	}
	factor, err := a.checkFactor(ctx, in.SerialNumber, in.TokenCode)
	if err != nil {
		return nil, err
	}
	if factor {
		keys["aws:MultiFactorAuthPresent"], keys["aws:MultiFactorAuthAge"] = []string{"true"}, []string{"0"}
	}
	role, err := a.Config.AssumeRole(ctx, *in.RoleArn, keys)
	if err != nil {
		return nil, err
	}
	seconds := constraint.Default(in.DurationSeconds, defaultSession)
	switch {
	case chains(wire.CallerFrom(ctx)) && seconds > maxChained:
		return nil, model.Errorf(
			"The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
		)
	case seconds > max(role.MaxSession, defaultSession):
		return nil, model.Errorf("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	now := a.Now().UTC().Truncate(time.Second)
	c, err := a.Sessions.Issue(session.Session{
		RoleID: role.ID, RoleName: role.Name, Account: role.Region().Account(),
		Name: *in.RoleSessionName, Policy: policy,
		Issued: now, Expires: now.Add(time.Duration(seconds) * time.Second),
	})
	if err != nil {
		return nil, err
	}
	arn := identity.ARN("sts", role.Region(), "assumed-role/"+role.Name+"/"+*in.RoleSessionName)
	out := &sts.AssumeRoleOutput{
		AssumedRoleUser: &types.AssumedRoleUser{
			Arn: &arn, AssumedRoleId: aws.String(role.ID + ":" + *in.RoleSessionName),
		},
		Credentials: describeCredentials(c),
	}
	if policy != "" {
		// Clients still read it, although the SDK deprecates it.
		out.PackedPolicySize = packedSize(policy) //nolint:staticcheck // see above
	}
	return out, nil
}

// chains reports whether a caller is a session of a role.
func chains(caller wire.Caller) bool {
	return caller.Principal.Session != nil && caller.Principal.Session.RoleID != ""
}

func describeCredentials(c session.Credentials) *types.Credentials {
	return &types.Credentials{
		AccessKeyId: &c.AccessKeyID, SecretAccessKey: &c.SecretAccessKey, SessionToken: &c.Token,
		Expiration: &c.Expires,
	}
}

// packedSize returns how much of the space for a session policy it takes, in percent.
func packedSize(policy string) *int32 {
	return aws.Int32(int32((len(policy)*100 + packedPolicy - 1) / packedPolicy))
}

// checkPolicy refuses a session policy that cannot be parsed.
func checkPolicy(policy string) error {
	if policy == "" {
		return nil
	}
	if _, err := policydocument.Parse(policydocument.Identity, policy); err != nil {
		return wire.Errorf("MalformedPolicyDocument", "%v", err)
	}
	return nil
}

// checkAssumeRole refuses requests that are invalid or unsupported.
func checkAssumeRole(in *sts.AssumeRoleInput) error {
	for _, p := range []struct {
		name string
		set  bool
	}{
		{"MinimumSessionTokenSize", in.MinimumSessionTokenSize != nil},
		{"PolicyArns", len(in.PolicyArns) > 0},
		{"ProvidedContexts", len(in.ProvidedContexts) > 0},
		{"SourceIdentity", in.SourceIdentity != nil},
		{"Tags", len(in.Tags) > 0},
		{"TransitiveTagKeys", len(in.TransitiveTagKeys) > 0},
	} {
		if p.set {
			return wire.NotImplemented("the parameter %s of sts:AssumeRole", p.name)
		}
	}
	role, name := aws.ToString(in.RoleArn), aws.ToString(in.RoleSessionName)
	switch {
	case in.RoleArn == nil:
		return model.Null("roleArn")
	case in.RoleSessionName == nil:
		return model.Null("roleSessionName")
	case len(name) < 2 || len(name) > 64:
		return model.Refuse("roleSessionName", name, "have length between 2 and 64, inclusive")
	case !nameForm.MatchString(name):
		return model.Refuse("roleSessionName", name, "satisfy regular expression pattern: %s", sessionName)
	case len(aws.ToString(in.Policy)) > maxPolicy:
		return model.TooLong("policy", maxPolicy)
	case !roleForm.MatchString(role):
		return model.Errorf("%s is invalid", role)
	}
	return cmp.Or(
		checkExternalID(in.ExternalId), checkFactorForm(in.SerialNumber, in.TokenCode),
		model.Between("durationSeconds", in.DurationSeconds, minSession, maxSession),
	)
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
