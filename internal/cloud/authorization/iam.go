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

	"CreateUser":                     onUser(),
	"GetUser":                        onUser(),
	"UpdateUser":                     {resources: []resource{{find: userNamed}, {find: renamedUser}}},
	"DeleteUser":                     onUser(),
	"TagUser":                        onUser(),
	"UntagUser":                      onUser(),
	"ListUserTags":                   onUser(),
	"PutUserPolicy":                  onUser(),
	"GetUserPolicy":                  onUser(),
	"DeleteUserPolicy":               onUser(),
	"ListUserPolicies":               onUser(),
	"AttachUserPolicy":               onUser(),
	"DetachUserPolicy":               onUser(),
	"ListAttachedUserPolicies":       onUser(),
	"PutUserPermissionsBoundary":     onUser(),
	"DeleteUserPermissionsBoundary":  onUser(),
	"ListGroupsForUser":              onUser(),
	"CreateAccessKey":                onUser(),
	"UpdateAccessKey":                onUser(),
	"DeleteAccessKey":                onUser(),
	"ListAccessKeys":                 onUser(),
	"CreateLoginProfile":             onUser(),
	"GetLoginProfile":                onUser(),
	"UpdateLoginProfile":             onUser(),
	"DeleteLoginProfile":             onUser(),
	"ListMFADevices":                 onUser(),
	"EnableMFADevice":                onUser(),
	"DeactivateMFADevice":            onUser(),
	"ResyncMFADevice":                onUser(),
	"GetMFADevice":                   onUser(),
	"ChangePassword":                 {instead: passwordNeeds},
	"ListSigningCertificates":        onUser(),
	"ListSSHPublicKeys":              onUser(),
	"UploadSSHPublicKey":             onUser(),
	"GetSSHPublicKey":                onUser(),
	"UpdateSSHPublicKey":             onUser(),
	"DeleteSSHPublicKey":             onUser(),
	"ListServiceSpecificCredentials": onUser(),
	"GetAccessKeyLastUsed":           {resources: []resource{{fields: []string{"AccessKeyId"}, find: userOfKey}}},
	"ListUsers":                      {resources: []resource{{find: listed("user")}}},

	"CreateGroup": onUserGroup(),
	"GetGroup":    onUserGroup(),
	"UpdateGroup": {resources: []resource{
		{fields: []string{"GroupName"}, find: groupNamed}, {fields: []string{"GroupName"}, find: renamedGroup},
	}},
	"DeleteGroup":               onUserGroup(),
	"AddUserToGroup":            onUserGroup(),
	"RemoveUserFromGroup":       onUserGroup(),
	"PutGroupPolicy":            onUserGroup(),
	"GetGroupPolicy":            onUserGroup(),
	"DeleteGroupPolicy":         onUserGroup(),
	"ListGroupPolicies":         onUserGroup(),
	"AttachGroupPolicy":         onUserGroup(),
	"DetachGroupPolicy":         onUserGroup(),
	"ListAttachedGroupPolicies": onUserGroup(),
	"ListGroups":                {resources: []resource{{find: listed("group")}}},

	"ListAccountAliases":          {},
	"CreateAccountAlias":          {},
	"DeleteAccountAlias":          {},
	"UpdateAccountPasswordPolicy": {},
	"DeleteAccountPasswordPolicy": {},
	"GetAccountSummary":           {},
	"ListVirtualMFADevices":       {},
	"CreateVirtualMFADevice":      {resources: []resource{{fields: []string{"VirtualMFADeviceName"}, find: newDevice}}},
	"DeleteVirtualMFADevice":      onDevice(),
	"TagMFADevice":                onDevice(),
	"UntagMFADevice":              onDevice(),
	"ListMFADeviceTags":           onDevice(),
	"ListSAMLProviders":           {},
	"GetAccountPasswordPolicy":    {},

	"GetAccountAuthorizationDetails": {},
	"GenerateCredentialReport":       {},
	"GetCredentialReport":            {},

	// Simulations of given policies are about no resource.
	"SimulateCustomPolicy":              {},
	"GetContextKeysForCustomPolicy":     {},
	"SimulatePrincipalPolicy":           {resources: []resource{{fields: []string{"PolicySourceArn"}, find: entityAt}}},
	"GetContextKeysForPrincipalPolicy":  {resources: []resource{{fields: []string{"PolicySourceArn"}, find: entityAt}}},
	"ListPoliciesGrantingServiceAccess": {resources: []resource{{fields: []string{"Arn"}, find: entityAt}}},

	"CreateOpenIDConnectProvider":             {resources: []resource{{fields: []string{"Url"}, find: newProvider}}},
	"GetOpenIDConnectProvider":                onProvider(),
	"UpdateOpenIDConnectProviderThumbprint":   onProvider(),
	"AddClientIDToOpenIDConnectProvider":      onProvider(),
	"RemoveClientIDFromOpenIDConnectProvider": onProvider(),
	"DeleteOpenIDConnectProvider":             onProvider(),
	"TagOpenIDConnectProvider":                onProvider(),
	"UntagOpenIDConnectProvider":              onProvider(),
	"ListOpenIDConnectProviderTags":           onProvider(),
	"ListOpenIDConnectProviders":              {},

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

	"CreateServiceLinkedRole": {resources: []resource{{fields: []string{"AWSServiceName"}, find: newServiceRole}}},
	"DeleteServiceLinkedRole": onRole(),
	"GetServiceLinkedRoleDeletionStatus": {
		resources: []resource{{fields: []string{"DeletionTaskId"}, find: roleOfTask}},
	},
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

func onProvider() operation {
	return operation{resources: []resource{{fields: []string{"OpenIDConnectProviderArn"}, find: providerAt}}}
}

// onUser is about the user that the input names, or the caller.
func onUser() operation { return operation{resources: []resource{{find: userNamed}}} }

func onDevice() operation {
	return operation{resources: []resource{{fields: []string{"SerialNumber"}, find: deviceAt}}}
}

func deviceAt(s *subject, serial string) []target {
	t := target{arn: serial}
	if row, ok := store.MFADevices.Get(s, serial); ok {
		t.tags = row.Tags
	}
	return []target{t}
}

func newDevice(s *subject, name string) []target {
	return []target{{arn: globalARN(s, "mfa", s.value("Path"), name)}}
}

// passwordNeeds returns the permission of users to change their own passwords, which the account's rules for
// passwords may give to all of them.
func passwordNeeds(s *subject) []need {
	rules := (*store.PasswordPolicy)(nil)
	if row, ok := store.AccountIdentities.Get(s, s.region.Account()); ok {
		rules = row.Passwords
	}
	var needs []need
	for _, t := range userNamed(s, "") {
		n := s.needOf(actionOf(s.call), t)
		n.granted = rules != nil && rules.UsersMayChange
		needs = append(needs, n)
	}
	return needs
}

func onUserGroup() operation {
	return operation{resources: []resource{{fields: []string{"GroupName"}, find: groupNamed}}}
}

// globalARN returns the ARN of a resource of IAM, which belongs to no region.
func globalARN(s *subject, kind, path, name string) string {
	return identity.ARN("iam", s.region.Global(), kind+cmp.Or(path, "/")+name)
}

// roleNamed returns a role, or the one that the call will create.
func roleNamed(s *subject, name string) []target {
	t, boundary := target{arn: globalARN(s, "role", s.value("Path"), name)}, ""
	if row, ok := store.Roles.Get(s, store.NameKey(s.region, name)); ok {
		t.arn, t.tags, boundary = row.ARN, row.Tags, row.Boundary
	}
	t.keys = s.policyKeys(boundary)
	return []target{t}
}

// userNamed returns a user, or the one that the call will create.
func userNamed(s *subject, _ string) []target {
	name := cmp.Or(s.value("UserName"), s.user)
	if name == "" {
		return nil
	}
	t, boundary := target{arn: globalARN(s, "user", s.value("Path"), name)}, ""
	if row, ok := store.Users.Get(s, store.NameKey(s.region, name)); ok {
		t.arn, t.tags, boundary = row.ARN, row.Tags, row.Boundary
	}
	t.keys = s.policyKeys(boundary)
	return []target{t}
}

// renamedUser returns the user that UpdateUser will leave (IAM API Reference, UpdateUser).
func renamedUser(s *subject, _ string) []target {
	t := target{arn: s.renamedARN("user", "/", s.value("UserName"), s.value("NewUserName"))}
	if row, ok := store.Users.Get(s, store.NameKey(s.region, s.value("UserName"))); ok {
		t.arn, t.tags = s.renamedARN("user", row.Path, row.Name, s.value("NewUserName")), row.Tags
	}
	return []target{t}
}

// renamedGroup returns the group that UpdateGroup will leave.
func renamedGroup(s *subject, name string) []target {
	path := "/"
	if row, ok := store.Groups.Get(s, store.NameKey(s.region, name)); ok {
		path, name = row.Path, row.Name
	}
	return []target{{arn: s.renamedARN("group", path, name, s.value("NewGroupName"))}}
}

func (s *subject) renamedARN(kind, path, name, newName string) string {
	return globalARN(s, kind, cmp.Or(s.value("NewPath"), path), cmp.Or(newName, name))
}

// userOfKey returns the user that an access key belongs to.
func userOfKey(s *subject, id string) []target {
	key, ok := store.AccessKeys.Get(s, id)
	if !ok {
		return nil
	}
	user, ok := store.Users.Get(s, store.NameKey(key.Account, key.User))
	if !ok {
		return nil
	}
	return []target{{arn: user.ARN, tags: user.Tags}}
}

func groupNamed(s *subject, name string) []target {
	t := target{arn: globalARN(s, "group", s.value("Path"), name), keys: s.policyKeys("")}
	if row, ok := store.Groups.Get(s, store.NameKey(s.region, name)); ok {
		t.arn = row.ARN
	}
	return []target{t}
}

// policyKeys returns the condition keys of the policies that the call is about. The key
// iam:PermissionsBoundary is the boundary that the call sets, or else the present one.
func (s *subject) policyKeys(boundary string) map[string][]string {
	keys := map[string][]string{}
	if boundary = cmp.Or(s.value("PermissionsBoundary"), boundary); boundary != "" {
		keys["iam:PermissionsBoundary"] = []string{boundary}
	}
	if arn := s.value("PolicyArn"); arn != "" {
		keys["iam:PolicyARN"] = []string{arn}
	}
	return keys
}

// roleOfTask returns the role that a task deletes, whose path and name are in the task's id.
func roleOfTask(s *subject, id string) []target {
	role := strings.TrimPrefix(id, "task/")
	return []target{{arn: globalARN(s, "role", "", role[:max(0, strings.LastIndex(role, "/"))])}}
}

func policyAt(s *subject, arn string) []target {
	t := target{arn: arn}
	if row, ok := store.Policies.Get(s, arn); ok {
		t.tags = row.Tags
	}
	return []target{t}
}

// entityAt returns the user, the group or the role with an ARN.
func entityAt(s *subject, arn string) []target {
	t, name := target{arn: arn}, arn[strings.LastIndex(arn, "/")+1:]
	if row, ok := store.Users.Get(s, store.NameKey(s.region, name)); ok && row.ARN == arn {
		t.tags = row.Tags
	}
	if row, ok := store.Roles.Get(s, store.NameKey(s.region, name)); ok && row.ARN == arn {
		t.tags = row.Tags
	}
	return []target{t}
}

func providerAt(s *subject, arn string) []target {
	t := target{arn: arn}
	if row, ok := store.OpenIDProviders.Get(s, arn); ok {
		t.tags = row.Tags
	}
	return []target{t}
}

func newProvider(s *subject, url string) []target {
	return []target{{arn: globalARN(s, "oidc-provider", "", strings.TrimPrefix(url, "https://"))}}
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
