package authorization

import (
	"maps"

	"aloft.dev/aloft/internal/cloud/access"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/session"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// MayPublish reports whether an AWS service, such as "autoscaling.amazonaws.com", may publish
// to a topic with a role: the role trusts the service, and its policies allow it. The error
// says which of them cannot be read.
func (a *Authorizer) MayPublish(r store.Reader, service string, role *store.Role, topic *store.Topic) (bool, error) {
	return a.serviceMay(r, service, role, topic.Region, []need{
		{action: "sns:Publish", resource: topic.ARN, keys: withTags(nil, "sns", topic.Tags)},
	})
}

// MayWriteLogs reports whether an AWS service may write to streams of a log group with a role, and
// create the group if it does not exist. The error is that of MayPublish.
func (a *Authorizer) MayWriteLogs(
	r store.Reader, service string, role *store.Role, region identity.Region, group string,
) (bool, error) {
	arn := identity.ARN("logs", region, "log-group:"+group+":log-stream:")
	var tags store.Tags
	row, exists := store.LogGroups.Get(r, store.LogGroupKey(region, group))
	if exists {
		tags = row.Tags
	}
	var needs []need
	for _, action := range []string{"logs:CreateLogStream", "logs:PutLogEvents"} {
		needs = append(needs, need{action: action, resource: arn, keys: withTags(nil, "logs", tags)})
	}
	if !exists {
		needs = append(needs, need{action: "logs:CreateLogGroup", resource: arn})
	}
	return a.serviceMay(r, service, role, region, needs)
}

// serviceMay reports whether a service may do something in a region with a role that trusts it.
func (a *Authorizer) serviceMay(
	r store.Reader, service string, role *store.Role, region identity.Region, needs []need,
) (bool, error) {
	trusted, err := ServiceMayAssume(role, service)
	if err != nil || !trusted {
		return false, err
	}
	p, err := a.principal(r, wire.Caller{
		Region: region, TLS: true,
		Principal: principalOf(&session.Session{
			RoleID: role.ID, RoleName: role.Name, Account: role.Region().Account(),
			Name: service, Issued: a.Now(),
		}),
	})
	if err != nil {
		return false, err
	}
	for _, n := range needs {
		keys := p.keys(a.Now())
		maps.Copy(keys, n.keys)
		if !p.policies.Evaluate(access.Request{
			Action: n.action, Resources: []string{n.resource}, Context: keys, Modelled: modelled,
		}).Allowed {
			return false, nil
		}
	}
	return true, nil
}
