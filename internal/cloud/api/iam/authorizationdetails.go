package iam

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// detail is an entry of one of the lists of GetAccountAuthorizationDetails.
type detail struct {
	kind types.EntityType
	name string
	add  func(out *iam.GetAccountAuthorizationDetailsOutput)
}

// key is the order of entries in pages: users, groups, roles, and policies.
func (d detail) key() string {
	return string('0'+rune(slices.Index(detailKinds, d.kind))) + strings.ToLower(d.name)
}

var detailKinds = []types.EntityType{
	types.EntityTypeUser, types.EntityTypeGroup, types.EntityTypeRole, types.EntityTypeLocalManagedPolicy,
	types.EntityTypeAWSManagedPolicy,
}

// GetAccountAuthorizationDetails lists users, groups, roles and policies, with all that decides what
// they may do.
func (a *API) GetAccountAuthorizationDetails(
	ctx context.Context, in *iam.GetAccountAuthorizationDetailsInput,
) (*iam.GetAccountAuthorizationDetailsOutput, error) {
	for _, kind := range in.Filter {
		if !slices.Contains(detailKinds, kind) {
			known := convert(kind.Values(), func(k types.EntityType) string { return string(k) })
			return nil, model.Elements("filter", "satisfy enum value set: ["+strings.Join(known, ", ")+"]")
		}
	}
	rows := detailsIn(ctx, a.Store.Read(ctx))
	if len(in.Filter) > 0 {
		rows = slices.DeleteFunc(rows, func(d detail) bool { return !slices.Contains(in.Filter, d.kind) })
	}
	page, err := paginate(rows, detail.key, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &iam.GetAccountAuthorizationDetailsOutput{
		UserDetailList: []types.UserDetail{}, GroupDetailList: []types.GroupDetail{},
		RoleDetailList: []types.RoleDetail{}, Policies: []types.ManagedPolicyDetail{},
		IsTruncated: page.more, Marker: page.marker,
	}
	for _, d := range page.items {
		d.add(out)
	}
	return out, nil
}

// detailsIn returns the details of everything in the account.
func detailsIn(ctx context.Context, r store.Reader) []detail {
	var all []detail
	for _, row := range usersIn(ctx, r) {
		all = append(all, detail{types.EntityTypeUser, row.Name, func(out *iam.GetAccountAuthorizationDetailsOutput) {
			out.UserDetailList = append(out.UserDetailList, detailUser(r, row))
		}})
	}
	for _, row := range store.Groups.InRegion(r, wire.GlobalFrom(ctx)) {
		all = append(all, detail{types.EntityTypeGroup, row.Name, func(out *iam.GetAccountAuthorizationDetailsOutput) {
			out.GroupDetailList = append(out.GroupDetailList, detailGroup(row))
		}})
	}
	for _, row := range store.Roles.InRegion(r, wire.GlobalFrom(ctx)) {
		all = append(all, detail{types.EntityTypeRole, row.Name, func(out *iam.GetAccountAuthorizationDetailsOutput) {
			out.RoleDetailList = append(out.RoleDetailList, detailRole(r, row))
		}})
	}
	used := usages(ctx, r)
	for _, p := range policiesIn(ctx, r, "") {
		kind := types.EntityTypeLocalManagedPolicy
		if p.managed {
			kind = types.EntityTypeAWSManagedPolicy
		}
		all = append(all, detail{kind, p.Name, func(out *iam.GetAccountAuthorizationDetailsOutput) {
			out.Policies = append(out.Policies, detailPolicy(p, used[p.ARN]))
		}})
	}
	return all
}

func detailUser(r store.Reader, row *store.User) types.UserDetail {
	out := types.UserDetail{
		UserName: &row.Name, Path: &row.Path, UserId: &row.ID, Arn: &row.ARN, CreateDate: &row.Created,
		GroupList:               convert(groupsOf(r, row), func(g *store.Group) string { return g.Name }),
		AttachedManagedPolicies: convert(row.Attached, describeAttached),
		PermissionsBoundary:     boundaryOf(row.Permissions), Tags: append([]types.Tag{}, tagItems(row.Tags)...),
	}
	if len(row.Inline) > 0 { // absent for users alone
		out.UserPolicyList = detailInline(row.Permissions)
	}
	return out
}

func detailGroup(row *store.Group) types.GroupDetail {
	return types.GroupDetail{
		GroupName: &row.Name, Path: &row.Path, GroupId: &row.ID, Arn: &row.ARN, CreateDate: &row.Created,
		AttachedManagedPolicies: convert(row.Attached, describeAttached),
		GroupPolicyList:         detailInline(row.Permissions),
	}
}

func detailRole(r store.Reader, row *store.Role) types.RoleDetail {
	whole := describeWholeRole(row)
	profiles := profilesOf(r, row)
	slices.SortFunc(profiles, func(a, b *store.InstanceProfile) int { return cmp.Compare(a.Key(), b.Key()) })
	return types.RoleDetail{
		RoleName: &row.Name, Path: &row.Path, RoleId: &row.ID, Arn: &row.ARN, CreateDate: &row.Created,
		AssumeRolePolicyDocument: whole.AssumeRolePolicyDocument, RoleLastUsed: whole.RoleLastUsed,
		AttachedManagedPolicies: convert(row.Attached, describeAttached),
		RolePolicyList:          detailInline(row.Permissions),
		InstanceProfileList: convert(profiles, func(p *store.InstanceProfile) types.InstanceProfile {
			return describeProfile(r, p)
		}),
		PermissionsBoundary: whole.PermissionsBoundary, Tags: append([]types.Tag{}, whole.Tags...),
	}
}

func detailInline(p store.Permissions) []types.PolicyDetail {
	return convert(slices.Sorted(maps.Keys(p.Inline)), func(name string) types.PolicyDetail {
		return types.PolicyDetail{PolicyName: &name, PolicyDocument: encoded(p.Inline[name])}
	})
}

func detailPolicy(p policy, used usage) types.ManagedPolicyDetail {
	listed := describePolicy(p, used)
	versions := slices.Clone(p.Versions)
	slices.Reverse(versions)
	return types.ManagedPolicyDetail{
		PolicyName: listed.PolicyName, Path: listed.Path, PolicyId: listed.PolicyId, Arn: listed.Arn,
		CreateDate: listed.CreateDate, UpdateDate: listed.UpdateDate, DefaultVersionId: listed.DefaultVersionId,
		IsAttachable: listed.IsAttachable, AttachmentCount: listed.AttachmentCount,
		PermissionsBoundaryUsageCount: listed.PermissionsBoundaryUsageCount,
		PolicyVersionList: convert(versions, func(v store.PolicyVersion) types.PolicyVersion {
			out := describeVersion(p.Policy, v)
			out.Document = encoded(v.Document)
			return out
		}),
	}
}
