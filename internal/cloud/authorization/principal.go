package authorization

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/access"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/policydocument"
	"aloft.dev/aloft/internal/cloud/session"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// principal is the caller of a call with the policies that apply to it.
type principal struct {
	caller   wire.Caller
	holder   *holder
	policies access.Policies
}

// principal returns the principal of a call. It fails if one of the policies that apply
// cannot be read, because it may deny something.
func (a *Authorizer) principal(r store.Reader, caller wire.Caller) (*principal, error) {
	h, err := holderOf(r, caller)
	if err != nil {
		return nil, err
	}
	p := &principal{caller: caller, holder: h}
	if p.policies, err = a.policiesOf(r, h); err != nil {
		return nil, err
	}
	if p.policies.Session, err = a.sessionPolicies(r, caller.Principal.Session); err != nil {
		return nil, err
	}
	return p, nil
}

// sessionPolicies returns the policies of a session, nil if it has none.
func (a *Authorizer) sessionPolicies(r store.Reader, s *session.Session) ([]*policydocument.Document, error) {
	if s == nil || s.Policy == "" && len(s.PolicyARNs) == 0 && !s.Federated() {
		return nil, nil
	}
	// A federated user may do nothing without a policy (AWS STS API Reference, GetFederationToken).
	policies := []*policydocument.Document{}
	if s.Policy != "" {
		document, err := a.parsed.parse(policydocument.Identity, s.Policy)
		if err != nil {
			return nil, policyError("of the session", err)
		}
		policies = append(policies, document)
	}
	for _, arn := range s.PolicyARNs {
		document, err := a.managed(r, arn)
		if err != nil {
			return nil, err
		}
		policies = append(policies, document)
	}
	return policies, nil
}

// policiesOf returns the policies of a holder.
func (a *Authorizer) policiesOf(r store.Reader, h *holder) (p access.Policies, err error) {
	if h.owner {
		p.Identity = []*policydocument.Document{access.Everything()}
		return p, nil
	}
	for _, permissions := range h.permissions {
		for _, name := range slices.Sorted(maps.Keys(permissions.Inline)) {
			document, err := a.parsed.parse(policydocument.Identity, permissions.Inline[name])
			if err != nil {
				return p, policyError(name, err)
			}
			p.Identity = append(p.Identity, document)
		}
		for _, arn := range permissions.Attached {
			document, err := a.managed(r, arn)
			if err != nil {
				return p, err
			}
			p.Identity = append(p.Identity, document)
		}
		if permissions.Boundary != "" {
			if p.Boundary, err = a.managed(r, permissions.Boundary); err != nil {
				return p, err
			}
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

// PolicyExists reports whether there is a managed policy with an ARN.
func (a *Authorizer) PolicyExists(arn string) bool {
	_, err := a.managed(a.Store.View(), arn)
	return err == nil
}

// keys returns the global condition keys of a principal's call (IAM User Guide, "AWS global
// condition context keys").
func (p *principal) keys(now time.Time) map[string][]string {
	keys := requestKeys(p.caller, now)
	maps.Copy(keys, p.holder.keys())
	s := p.caller.Principal.Session
	if s == nil {
		return keys
	}
	keys["aws:userid"] = []string{p.caller.Principal.UserID}
	keys["aws:TokenIssueTime"] = []string{s.Issued.UTC().Format(time.RFC3339)}
	if s.Provider != "" {
		keys["aws:FederatedProvider"] = []string{s.Provider}
	}
	if s.SourceIdentity != "" {
		keys["aws:SourceIdentity"] = []string{s.SourceIdentity}
	}
	setPrincipalTags(keys, s.Tags)
	keys["aws:MultiFactorAuthPresent"] = []string{strconv.FormatBool(s.MFA)}
	if s.MFA {
		keys["aws:MultiFactorAuthAge"] = []string{strconv.FormatInt(int64(now.Sub(s.Issued).Seconds()), 10)}
	}
	switch {
	case s.Instance != "":
		keys["ec2:SourceInstanceArn"] = []string{identity.ARN("ec2", p.caller.Region, "instance/"+s.Instance)}
	case s.Federated():
		keys["aws:PrincipalArn"] = []string{p.caller.Principal.ARN}
		keys["aws:PrincipalType"] = []string{"FederatedUser"}
		delete(keys, "aws:username")
	}
	return keys
}

const principalTag = "aws:PrincipalTag/"

// setPrincipalTags adds the tags of a session. They replace tags of the role or the user with the same keys, whose
// case is not significant (IAM User Guide, "Pass session tags in AWS STS").
func setPrincipalTags(keys map[string][]string, tags map[string]string) {
	for key, value := range tags {
		maps.DeleteFunc(keys, func(name string, _ []string) bool { return strings.EqualFold(name, principalTag+key) })
		keys[principalTag+key] = []string{value}
	}
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
