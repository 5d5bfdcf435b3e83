package iam

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/policydocument"
)

// Limits of ListPoliciesGrantingServiceAccess (IAM API Reference).
const (
	maxNamespaces = 200
	maxNamespace  = 64
)

var namespaceForm = regexp.MustCompile(`^[\w-]+$`)

// ListPoliciesGrantingServiceAccess lists, service by service, the policies of a user, a group or a
// role that allow any of the service's actions. It looks neither at denials nor at boundaries.
func (a *API) ListPoliciesGrantingServiceAccess(
	ctx context.Context, in *iam.ListPoliciesGrantingServiceAccessInput,
) (*iam.ListPoliciesGrantingServiceAccessOutput, error) {
	switch {
	case in.ServiceNamespaces == nil:
		return nil, model.Null("serviceNamespaces")
	case len(in.ServiceNamespaces) > maxNamespaces:
		return nil, model.TooLong("serviceNamespaces", maxNamespaces)
	}
	for _, name := range in.ServiceNamespaces {
		if len(name) > maxNamespace || !namespaceForm.MatchString(name) {
			return nil, model.Elements("serviceNamespaces", "have length less than or equal to 64",
				"have length greater than or equal to 1", `satisfy regular expression pattern: [\w-]*`)
		}
	}
	p, err := findPrincipal(ctx, a.Store.Read(ctx), "arn", in.Arn)
	if err != nil {
		return nil, err
	}
	var rows []types.ListPoliciesGrantingServiceAccessEntry
	for _, name := range in.ServiceNamespaces {
		granting := []types.PolicyGrantingServiceAccess{}
		for _, s := range p.sources {
			if s.text != "" && grants(s.document, name) {
				granting = append(granting, describeGranting(s))
			}
		}
		rows = append(rows, types.ListPoliciesGrantingServiceAccessEntry{
			ServiceNamespace: &name, Policies: granting,
		})
	}
	key := func(e types.ListPoliciesGrantingServiceAccessEntry) string { return *e.ServiceNamespace }
	page, err := paginate(rows, key, in.Marker, nil)
	if err != nil {
		return nil, err
	}
	return &iam.ListPoliciesGrantingServiceAccessOutput{
		PoliciesGrantingServiceAccess: append([]types.ListPoliciesGrantingServiceAccessEntry{}, page.items...),
		IsTruncated:                   page.more, Marker: page.marker,
	}, nil
}

// describeGranting describes a policy. That of an inline policy says whose it is.
func describeGranting(s source) types.PolicyGrantingServiceAccess {
	if s.arn != "" {
		return types.PolicyGrantingServiceAccess{
			PolicyName: &s.name, PolicyType: types.PolicyTypeManaged, PolicyArn: &s.arn,
		}
	}
	return types.PolicyGrantingServiceAccess{
		PolicyName: &s.name, PolicyType: types.PolicyTypeInline, EntityName: &s.holder,
		EntityType: types.PolicyOwnerEntityType(strings.ToUpper(string(s.kind))),
	}
}

// grants reports whether a document allows an action of a service.
func grants(d *policydocument.Document, service string) bool {
	of := func(action string) bool {
		vendor, _, _ := strings.Cut(action, ":")
		return action == "*" || strings.EqualFold(vendor, service)
	}
	whole := func(action string) bool { return action == "*" || strings.EqualFold(action, service+":*") }
	return slices.ContainsFunc(d.Statements, func(s policydocument.Statement) bool {
		if !s.Allow {
			return false
		}
		return slices.ContainsFunc(s.Actions, of) ||
			len(s.NotActions) > 0 && !slices.ContainsFunc(s.NotActions, whole)
	})
}
