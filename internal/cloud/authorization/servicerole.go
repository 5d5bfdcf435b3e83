package authorization

import (
	"maps"

	"aloft.dev/aloft/internal/cloud/access"
	"aloft.dev/aloft/internal/cloud/session"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// MayPublish reports whether an AWS service, such as "autoscaling.amazonaws.com", may publish
// to a topic with a role: the role trusts the service, and its policies allow it. The error
// says which of them cannot be read.
func (a *Authorizer) MayPublish(r store.Reader, service string, role *store.Role, topic *store.Topic) (bool, error) {
	trusted, err := ServiceMayAssume(role, service)
	if err != nil || !trusted {
		return false, err
	}
	p, err := a.principal(r, wire.Caller{
		Region: topic.Region, TLS: true,
		Principal: PrincipalOf(&session.Session{
			RoleID: role.ID, RoleName: role.Name, Account: role.Region().Account(),
			Name: service, Issued: a.Now(),
		}),
	})
	if err != nil {
		return false, err
	}
	keys := p.keys(a.Now())
	maps.Copy(keys, withTags(nil, "sns", topic.Tags))
	return p.policies.Evaluate(access.Request{
		Action: "sns:Publish", Resources: []string{topic.ARN}, Context: keys, Modelled: modelled,
	}).Allowed, nil
}
