package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// GetAccountSummary counts what the account has, and returns its quotas. What the local cloud
// does not have counts 0.
func (a *API) GetAccountSummary(
	ctx context.Context, _ *iam.GetAccountSummaryInput,
) (*iam.GetAccountSummaryOutput, error) {
	view, region := a.Store.Read(ctx), wire.GlobalFrom(ctx)
	policies, versions := store.Policies.InRegion(view, region), 0
	for _, p := range policies {
		versions += len(p.Versions)
	}
	factors, inUse := store.MFADevices.InRegion(view, region), 0
	for _, f := range factors {
		if f.User != "" {
			inUse++
		}
	}
	return &iam.GetAccountSummaryOutput{SummaryMap: map[string]int32{
		"Users":              int32(len(usersIn(ctx, view))),
		"Groups":             int32(len(store.Groups.InRegion(view, region))),
		"Roles":              int32(len(store.Roles.InRegion(view, region))),
		"InstanceProfiles":   int32(len(store.InstanceProfiles.InRegion(view, region))),
		"ServerCertificates": int32(len(store.ServerCertificates.InRegion(view, region))),
		"Policies":           int32(len(policies)), "PolicyVersionsInUse": int32(versions),
		"Providers": int32(len(store.OpenIDProviders.InRegion(view, region))),

		"MFADevices": int32(len(factors)), "MFADevicesInUse": int32(inUse),
		"AccountAccessKeysPresent": 0, "AccountMFAEnabled": 0, "AccountPasswordPresent": 0,
		"AccountSigningCertificatesPresent": 0, "GlobalEndpointTokenVersion": 1,

		"UsersQuota": maxUsers, "GroupsQuota": maxGroups, "GroupsPerUserQuota": maxGroupsOfUser,
		"AccessKeysPerUserQuota": maxAccessKeys, "SigningCertificatesPerUserQuota": 2,
		"RolesQuota": 1000, "InstanceProfilesQuota": 1000, "PoliciesQuota": 1500,
		"PolicyVersionsInUseQuota": 10000, "VersionsPerPolicyQuota": maxVersions,
		"ServerCertificatesQuota": maxServerCertificates, "PolicySizeQuota": maxManaged,
		"AssumeRolePolicySizeQuota": maxTrust, "UserPolicySizeQuota": maxUserInline,
		"GroupPolicySizeQuota": maxGroupInline, "RolePolicySizeQuota": maxRoleInline,
		"AttachedPoliciesPerUserQuota": maxAttached, "AttachedPoliciesPerGroupQuota": maxAttached,
		"AttachedPoliciesPerRoleQuota": maxAttached,
	}}, nil
}
