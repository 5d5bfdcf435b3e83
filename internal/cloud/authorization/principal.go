package authorization

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"aloft.dev/aloft/internal/cloud/access"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/policydocument"
	"aloft.dev/aloft/internal/cloud/session"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Key returns the access key of a session, for wire.Config. A session is valid as long as
// its role exists; another role with the role's name does not count.
func (a *Authorizer) Key(accessKeyID, token string) (wire.Key, error) {
	if !a.Sessions.Issued(accessKeyID) {
		return wire.Key{}, wire.ErrUnknownKey
	}
	s, secret, err := a.Sessions.Open(accessKeyID, token)
	if err != nil {
		return wire.Key{}, wire.ErrInvalidKey
	}
	if _, ok := roleOf(a.Store.View(), &s); !ok {
		return wire.Key{}, wire.ErrInvalidKey
	}
	return wire.Key{Secret: secret, Account: s.Account, Principal: PrincipalOf(&s), Expires: s.Expires}, nil
}

// PrincipalOf returns the principal that a session is.
func PrincipalOf(s *session.Session) wire.Principal {
	return wire.Principal{
		ARN:     identity.ARN("sts", identity.RegionOf(s.Account, ""), "assumed-role/"+s.RoleName+"/"+s.Name),
		UserID:  s.RoleID + ":" + s.Name,
		Session: s,
	}
}

func roleOf(r store.Reader, s *session.Session) (*store.Role, bool) {
	role, ok := store.Roles.Get(r, store.NameKey(identity.RegionOf(s.Account, ""), s.RoleName))
	return role, ok && role.ID == s.RoleID
}

// principal is the caller of a call with the policies that apply to it.
type principal struct {
	caller   wire.Caller
	role     *store.Role
	policies access.Policies
}

var errRoleGone = errors.New("the role of the session does not exist")

// principal returns a session's principal. It fails if one of the policies that apply
// cannot be read, because it may deny something.
func (a *Authorizer) principal(r store.Reader, caller wire.Caller) (*principal, error) {
	s := caller.Principal.Session
	role, ok := roleOf(r, s)
	if !ok {
		return nil, errRoleGone
	}
	p := &principal{caller: caller, role: role}
	for _, name := range slices.Sorted(maps.Keys(role.Inline)) {
		document, err := a.parsed.parse(policydocument.Identity, role.Inline[name])
		if err != nil {
			return nil, policyError(name, err)
		}
		p.policies.Identity = append(p.policies.Identity, document)
	}
	for _, arn := range role.Attached {
		document, err := a.managed(r, arn)
		if err != nil {
			return nil, err
		}
		p.policies.Identity = append(p.policies.Identity, document)
	}
	var err error
	if role.Boundary != "" {
		if p.policies.Boundary, err = a.managed(r, role.Boundary); err != nil {
			return nil, err
		}
	}
	if s.Policy != "" {
		if p.policies.Session, err = a.parsed.parse(policydocument.Identity, s.Policy); err != nil {
			return nil, policyError("of the session", err)
		}
	}
	return p, nil
}

// managed returns the default version of a managed policy.
func (a *Authorizer) managed(r store.Reader, arn string) (*policydocument.Document, error) {
	text, found := a.Managed(arn)
	if row, ok := store.Policies.Get(r, arn); ok {
		i := slices.IndexFunc(row.Versions, func(v store.PolicyVersion) bool { return v.ID == row.DefaultVersion })
		if found = i >= 0; found {
			text = row.Versions[i].Document
		}
	}
	if !found {
		return nil, policyError(arn, errors.New("it does not exist"))
	}
	document, err := a.parsed.parse(policydocument.Identity, text)
	if err != nil {
		return nil, policyError(arn, err)
	}
	return document, nil
}

// keys returns the global condition keys of a session's call (IAM User Guide, "AWS global
// condition context keys").
func (p *principal) keys(now time.Time) map[string][]string {
	keys := requestKeys(p.caller, now)
	keys["aws:PrincipalArn"] = []string{p.role.ARN}
	keys["aws:PrincipalType"] = []string{"AssumedRole"}
	keys["aws:userid"] = []string{p.caller.Principal.UserID}
	keys["aws:TokenIssueTime"] = []string{p.caller.Principal.Session.Issued.UTC().Format(time.RFC3339)}
	for key, value := range p.role.Tags {
		keys["aws:PrincipalTag/"+key] = []string{value}
	}
	if id := p.caller.Principal.Session.Instance; id != "" {
		keys["ec2:SourceInstanceArn"] = []string{identity.ARN("ec2", p.caller.Region, "instance/"+id)}
	}
	return keys
}

// requestKeys returns the condition keys that every call has.
func requestKeys(caller wire.Caller, now time.Time) map[string][]string {
	keys := map[string][]string{
		"aws:RequestedRegion":       {caller.Region.Name()},
		"ec2:Region":                {caller.Region.Name()},
		"aws:PrincipalAccount":      {caller.Region.Account()},
		"aws:ResourceAccount":       {caller.Region.Account()},
		"aws:PrincipalIsAWSService": {"false"},
		"aws:ViaAWSService":         {"false"},
		"aws:CurrentTime":           {now.UTC().Format(time.RFC3339)},
		"aws:EpochTime":             {strconv.FormatInt(now.Unix(), 10)},
		"aws:SecureTransport":       {strconv.FormatBool(caller.TLS)},
	}
	switch {
	case caller.Endpoint.ID != "":
		keys["aws:SourceVpce"], keys["aws:SourceVpc"] = []string{caller.Endpoint.ID}, []string{caller.Endpoint.VPC}
		keys["aws:VpcSourceIp"] = []string{caller.SourceIP}
	case caller.SourceIP != "":
		keys["aws:SourceIp"] = []string{caller.SourceIP}
	}
	if caller.UserAgent != "" {
		keys["aws:UserAgent"] = []string{caller.UserAgent}
	}
	return keys
}

// userKeys returns the condition keys of a call by the account's user.
func userKeys(caller wire.Caller, now time.Time) map[string][]string {
	keys := requestKeys(caller, now)
	keys["aws:PrincipalArn"] = []string{identity.UserARN(caller.Region.Account())}
	keys["aws:PrincipalType"] = []string{"User"}
	keys["aws:userid"] = []string{identity.UserID(caller.Region.Account())}
	keys["aws:username"] = []string{identity.UserName}
	return keys
}

// ServiceMayAssume reports whether a role lets an AWS service assume it.
func ServiceMayAssume(role *store.Role, service string) (bool, error) {
	trust, err := trustOf(role)
	if err != nil {
		return false, err
	}
	grant := access.EvaluateTrust(trust, access.Trustee{Service: service}, access.Request{
		Action: "sts:AssumeRole", Modelled: modelled,
		Context: map[string][]string{"aws:SourceAccount": {role.Region().Account()}},
	})
	return grant == access.Trusted, nil
}

func trustOf(role *store.Role) (*policydocument.Document, error) {
	trust, err := policydocument.Parse(policydocument.Trust, role.Trust)
	if err != nil {
		return nil, fmt.Errorf("read the trust policy of %s: %w", role.ARN, err)
	}
	return trust, nil
}
