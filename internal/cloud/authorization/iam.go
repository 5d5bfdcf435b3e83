package authorization

import (
	"cmp"
	"strings"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

var iamOperations = operations{
	"CreateRole":                    onRole(),
	"GetRole":                       onRole(),
	"DeleteRole":                    onRole(),
	"UpdateRole":                    onRole(),
	"UpdateRoleDescription":         onRole(),
	"UpdateAssumeRolePolicy":        onRole(),
	"TagRole":                       onRole(),
	"UntagRole":                     onRole(),
	"ListRoleTags":                  onRole(),
	"PutRolePolicy":                 onRole(),
	"GetRolePolicy":                 onRole(),
	"DeleteRolePolicy":              onRole(),
	"ListRolePolicies":              onRole(),
	"AttachRolePolicy":              onRole(),
	"DetachRolePolicy":              onRole(),
	"ListAttachedRolePolicies":      onRole(),
	"PutRolePermissionsBoundary":    onRole(),
	"DeleteRolePermissionsBoundary": onRole(),
	"ListInstanceProfilesForRole":   onRole(),
	"ListRoles":                     {resources: []resource{{find: listed("role")}}},

	"GetUser":                    {},
	"ListUsers":                  {},
	"ListAccountAliases":         {},
	"ListGroups":                 {},
	"ListOpenIDConnectProviders": {},
	"ListSAMLProviders":          {},
	"GetAccountPasswordPolicy":   {},

	"CreatePolicy":            {resources: []resource{{fields: []string{"PolicyName"}, find: newPolicy}}},
	"GetPolicy":               onPolicy(),
	"DeletePolicy":            onPolicy(),
	"CreatePolicyVersion":     onPolicy(),
	"GetPolicyVersion":        onPolicy(),
	"DeletePolicyVersion":     onPolicy(),
	"SetDefaultPolicyVersion": onPolicy(),
	"ListPolicyVersions":      onPolicy(),
	"ListEntitiesForPolicy":   onPolicy(),
	"TagPolicy":               onPolicy(),
	"UntagPolicy":             onPolicy(),
	"ListPolicyTags":          onPolicy(),
	"ListPolicies":            {},

	"CreateInstanceProfile":         onProfile(),
	"GetInstanceProfile":            onProfile(),
	"DeleteInstanceProfile":         onProfile(),
	"TagInstanceProfile":            onProfile(),
	"UntagInstanceProfile":          onProfile(),
	"ListInstanceProfileTags":       onProfile(),
	"RemoveRoleFromInstanceProfile": onProfile(),
	"AddRoleToInstanceProfile": {
		resources: []resource{{fields: []string{"InstanceProfileName"}, find: profileNamed}}, also: passesRole,
	},
	"ListInstanceProfiles": {resources: []resource{{find: listed("instance-profile")}}},

	"UploadServerCertificate":   onCertificate(),
	"GetServerCertificate":      onCertificate(),
	"UpdateServerCertificate":   onCertificate(),
	"DeleteServerCertificate":   onCertificate(),
	"TagServerCertificate":      onCertificate(),
	"UntagServerCertificate":    onCertificate(),
	"ListServerCertificateTags": onCertificate(),
	"ListServerCertificates":    {},

	"CreateServiceLinkedRole": {resources: []resource{{fields: []string{"AWSServiceName"}, find: serviceRole}}},
	"DeleteServiceLinkedRole": onRole(),
}

func onRole() operation {
	return operation{resources: []resource{{fields: []string{"RoleName"}, find: roleNamed}}}
}

func onPolicy() operation {
	return operation{resources: []resource{{fields: []string{"PolicyArn"}, find: policyAt}}}
}

func onProfile() operation {
	return operation{resources: []resource{{fields: []string{"InstanceProfileName"}, find: profileNamed}}}
}

func onCertificate() operation {
	return operation{resources: []resource{{fields: []string{"ServerCertificateName"}, find: certificateNamed}}}
}

// globalARN returns the ARN of a resource of IAM, which belongs to no region.
func globalARN(s *subject, kind, path, name string) string {
	return identity.ARN("iam", s.region.Global(), kind+cmp.Or(path, "/")+name)
}

// roleNamed returns a role, or the one that the call will create. The condition key
// iam:PermissionsBoundary is the boundary that the call sets, or else the role's.
func roleNamed(s *subject, name string) []target {
	t := target{arn: globalARN(s, "role", s.value("Path"), name), keys: map[string][]string{}}
	boundary := s.value("PermissionsBoundary")
	if row, ok := store.Roles.Get(s, store.NameKey(s.region, name)); ok {
		t.arn, t.tags, boundary = row.ARN, row.Tags, cmp.Or(boundary, row.Boundary)
	}
	if boundary != "" {
		t.keys["iam:PermissionsBoundary"] = []string{boundary}
	}
	if arn := s.value("PolicyArn"); arn != "" {
		t.keys["iam:PolicyARN"] = []string{arn}
	}
	return []target{t}
}

func serviceRole(s *subject, service string) []target {
	return []target{{
		arn:  globalARN(s, "role", "/aws-service-role/"+service+"/", "*"),
		keys: map[string][]string{"iam:AWSServiceName": {service}},
	}}
}

func policyAt(s *subject, arn string) []target {
	t := target{arn: arn}
	if row, ok := store.Policies.Get(s, arn); ok {
		t.tags = row.Tags
	}
	return []target{t}
}

func newPolicy(s *subject, name string) []target {
	return []target{{arn: globalARN(s, "policy", s.value("Path"), name)}}
}

func profileNamed(s *subject, name string) []target {
	t := target{arn: globalARN(s, "instance-profile", s.value("Path"), name)}
	if row, ok := store.InstanceProfiles.Get(s, store.NameKey(s.region, name)); ok {
		t.arn, t.tags = row.ARN, row.Tags
	}
	return []target{t}
}

func certificateNamed(s *subject, name string) []target {
	t := target{arn: globalARN(s, "server-certificate", s.value("Path"), name)}
	if row, ok := store.ServerCertificates.Get(s, store.NameKey(s.region, name)); ok {
		t.arn, t.tags = row.ARN, row.Tags
	}
	return []target{t}
}

// listed returns a finder of what AWS asks policies about for all resources of a kind
// below a path.
func listed(kind string) func(*subject, string) []target {
	return func(s *subject, _ string) []target {
		return []target{{arn: globalARN(s, kind, s.value("PathPrefix"), "")}}
	}
}

// passesRole returns the permission to pass the role that the call puts into an instance
// profile (IAM API Reference, AddRoleToInstanceProfile).
func passesRole(s *subject) []need {
	name := s.value("RoleName")
	role, ok := store.Roles.Get(s, store.NameKey(s.region, name))
	if !ok {
		role = &store.Role{ARN: globalARN(s, "role", "", strings.TrimPrefix(name, "/"))}
	}
	return []need{passRole(role, "ec2.amazonaws.com")}
}
