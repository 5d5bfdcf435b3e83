package iam_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestARoleIsCreatedAndRead(t *testing.T) {
	w := newWorld(t)
	tags := []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}
	boundary := &types.AttachedPermissionsBoundary{
		PermissionsBoundaryArn: aws.String(core), PermissionsBoundaryType: "Policy",
	}
	created := must(w.CreateRole(t.Context(), &client.CreateRoleInput{
		RoleName: aws.String("Web"), Path: aws.String("/app/"), Description: aws.String("serves"),
		AssumeRolePolicyDocument: aws.String(trust), Tags: tags, PermissionsBoundary: aws.String(core),
	}))(t).Role
	if !regexp.MustCompile(`^AROA[A-Z2-7]{17}$`).MatchString(*created.RoleId) {
		t.Errorf("the id is %s", *created.RoleId)
	}
	if got := decoded(t, created.AssumeRolePolicyDocument); got != trust {
		t.Errorf("the trust policy is %s", got)
	}
	want := types.Role{
		RoleName: aws.String("Web"), Path: aws.String("/app/"),
		Arn: aws.String("arn:aws:iam::000000000000:role/app/Web"), CreateDate: &now, RoleId: created.RoleId,
		AssumeRolePolicyDocument: created.AssumeRolePolicyDocument, Tags: tags, PermissionsBoundary: boundary,
	}
	ignore := cmpopts.IgnoreUnexported(
		types.Role{}, types.Tag{}, types.AttachedPermissionsBoundary{}, types.RoleLastUsed{},
	)
	if diff := cmp.Diff(&want, created, ignore); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	want.Description = aws.String("serves")
	want.MaxSessionDuration, want.RoleLastUsed = aws.Int32(3600), &types.RoleLastUsed{}
	got := must(w.GetRole(t.Context(), &client.GetRoleInput{RoleName: aws.String("web")}))(t).Role
	if diff := cmp.Diff(&want, got, ignore); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	want.RoleLastUsed, want.Tags, want.PermissionsBoundary = nil, nil, nil
	listed := must(w.ListRoles(t.Context(), &client.ListRolesInput{}))(t).Roles
	if diff := cmp.Diff([]types.Role{want}, listed, ignore); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
}

func TestTheLastUseOfARole(t *testing.T) {
	w := newWorld(t)
	w.role("a")
	if err := w.store.Update(func(tx *store.Tx) error {
		store.Roles.Edit(tx, "a", func(r *store.Role) { r.LastUsed, r.LastUsedRegion = now, "eu-west-1" })
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	used := must(w.GetRole(t.Context(), &client.GetRoleInput{RoleName: aws.String("a")}))(t).Role.RoleLastUsed
	if !used.LastUsedDate.Equal(now) || *used.Region != "eu-west-1" {
		t.Errorf("got %+v", used)
	}
}

func TestCreateRoleRefuses(t *testing.T) {
	w := newWorld(t)
	w.role("taken")
	long := func(n int) *string { return new(strings.Repeat("a", n)) }
	large := strings.Replace(trust, "ec2.amazonaws.com", strings.Repeat("a", 2048)+".amazonaws.com", 1)
	user := strings.Replace(trust, `"Service": "ec2.amazonaws.com"`, `"AWS": "arn:aws:iam::000000000000:user/no"`, 1)
	var many []types.Tag
	for i := range 51 {
		many = append(many, types.Tag{Key: new(strconv.Itoa(i)), Value: new("")})
	}
	tag := func(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }
	for name, test := range map[string]struct {
		change func(*client.CreateRoleInput)
		want   string
	}{
		"a taken name": {
			func(in *client.CreateRoleInput) { in.RoleName = new("TAKEN") },
			"409 EntityAlreadyExists Role with name TAKEN already exists.",
		},
		"an empty name": {
			func(in *client.CreateRoleInput) { in.RoleName = new("") }, "400 ValidationError 1 validation error",
		},
		"a name with a space": {
			func(in *client.CreateRoleInput) { in.RoleName = new("a b") },
			"400 ValidationError The specified value for roleName is invalid.",
		},
		"a long name": {
			func(in *client.CreateRoleInput) { in.RoleName = long(65) },
			"400 ValidationError 1 validation error detected: Value at 'roleName'",
		},
		"a path without an end": {
			func(in *client.CreateRoleInput) { in.Path = new("/a") },
			"400 ValidationError The specified value for path is invalid.",
		},
		"an empty path": {func(in *client.CreateRoleInput) { in.Path = new("") }, "400 ValidationError"},
		"a long path": {
			func(in *client.CreateRoleInput) { in.Path = new("/" + *long(511) + "/") }, "400 ValidationError",
		},
		"a long description": {
			func(in *client.CreateRoleInput) { in.Description = long(1001) }, "400 ValidationError",
		},
		"a description in Greek": {
			func(in *client.CreateRoleInput) { in.Description = new("λ") }, "400 ValidationError",
		},
		"short sessions": {
			func(in *client.CreateRoleInput) { in.MaxSessionDuration = aws.Int32(3599) }, "400 ValidationError",
		},
		"long sessions": {
			func(in *client.CreateRoleInput) { in.MaxSessionDuration = aws.Int32(43201) }, "400 ValidationError",
		},
		"an empty trust policy": {
			func(in *client.CreateRoleInput) { in.AssumeRolePolicyDocument = new("") }, "400 ValidationError",
		},
		"a trust policy that is not JSON": {
			func(in *client.CreateRoleInput) { in.AssumeRolePolicyDocument = new("trust") },
			"400 MalformedPolicyDocument This policy contains invalid Json",
		},
		"a trust policy with a resource": {
			func(in *client.CreateRoleInput) { in.AssumeRolePolicyDocument = new(document) },
			"400 MalformedPolicyDocument AssumeRole policy may only specify STS AssumeRole actions.",
		},
		"a large trust policy": {
			func(in *client.CreateRoleInput) { in.AssumeRolePolicyDocument = &large },
			"409 LimitExceeded Cannot exceed quota for ACLSizePerRole: 2048",
		},
		"an unknown principal": {
			func(in *client.CreateRoleInput) { in.AssumeRolePolicyDocument = &user },
			`400 MalformedPolicyDocument Invalid principal in policy: "AWS":"arn:aws:iam::000000000000:user/no"`,
		},
		"an unknown boundary": {
			func(in *client.CreateRoleInput) { in.PermissionsBoundary = new("arn:aws:iam::000000000000:policy/no") },
			"404 NoSuchEntity Scope ARN: arn:aws:iam::000000000000:policy/no does not exist or is not attachable.",
		},
		"51 tags": {func(in *client.CreateRoleInput) { in.Tags = many }, "400 ValidationError"},
		"tags that differ in case alone": {
			func(in *client.CreateRoleInput) { in.Tags = []types.Tag{tag("a", ""), tag("A", "")} },
			"400 InvalidInput Duplicate tag keys found.",
		},
		"a reserved tag": {
			func(in *client.CreateRoleInput) { in.Tags = []types.Tag{tag("aws:a", "")} }, "400 InvalidInput",
		},
		"a tag with a star": {
			func(in *client.CreateRoleInput) { in.Tags = []types.Tag{tag("a", "*")} }, "400 ValidationError",
		},
	} {
		in := &client.CreateRoleInput{RoleName: new("a"), AssumeRolePolicyDocument: new(trust)}
		test.change(in)
		_, err := w.CreateRole(t.Context(), in)
		refused(t, name, err, test.want)
	}
}

func TestTheWhiteSpaceOfADocumentDoesNotCount(t *testing.T) {
	w := newWorld(t)
	spaced := strings.Replace(trust, "{", "{"+strings.Repeat(" ", 3000), 1)
	must(w.CreateRole(t.Context(), &client.CreateRoleInput{
		RoleName: aws.String("a"), AssumeRolePolicyDocument: &spaced,
	}))(t)
}

func TestRolesMayTrustRolesThatExist(t *testing.T) {
	w := newWorld(t)
	w.role("a")
	role := aws.String("a")
	trusting := strings.Replace(trust, `"Service": "ec2.amazonaws.com"`,
		`"AWS": ["arn:aws:iam::000000000000:role/a", "arn:aws:iam::000000000000:user/aloft", "000000000000"]`, 1)
	must(w.UpdateAssumeRolePolicy(t.Context(), &client.UpdateAssumeRolePolicyInput{
		RoleName: role, PolicyDocument: &trusting,
	}))(t)
	got := must(w.GetRole(t.Context(), &client.GetRoleInput{RoleName: role}))(t).Role
	if text := decoded(t, got.AssumeRolePolicyDocument); text != trusting {
		t.Errorf("got %s", text)
	}
	unknown := strings.Replace(trusting, "role/a", "role/b", 1)
	_, err := w.UpdateAssumeRolePolicy(t.Context(), &client.UpdateAssumeRolePolicyInput{
		RoleName: role, PolicyDocument: &unknown,
	})
	refused(t, "an unknown role", err, "400 MalformedPolicyDocument Invalid principal in policy")
}

func TestRolesAreListedInPages(t *testing.T) {
	w := newWorld(t)
	for _, role := range [][2]string{{"c", "/x/"}, {"B", "/x/y/"}, {"a", "/x/"}, {"d", "/"}} {
		must(w.CreateRole(t.Context(), &client.CreateRoleInput{
			RoleName: &role[0], Path: &role[1], AssumeRolePolicyDocument: aws.String(trust),
		}))(t)
	}
	var got []string
	pages := client.NewListRolesPaginator(w, &client.ListRolesInput{
		PathPrefix: aws.String("/x"), MaxItems: aws.Int32(2),
	})
	for pages.HasMorePages() {
		page := must(pages.NextPage(t.Context()))(t)
		for _, role := range page.Roles {
			got = append(got, *role.RoleName)
		}
		got = append(got, strconv.FormatBool(page.IsTruncated))
	}
	if diff := cmp.Diff([]string{"a", "B", "true", "c", "false"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, in := range map[string]*client.ListRolesInput{
		"an invalid marker":       {Marker: aws.String("x")},
		"no items":                {MaxItems: aws.Int32(0)},
		"too many items":          {MaxItems: aws.Int32(1001)},
		"a path that is relative": {PathPrefix: aws.String("x")},
	} {
		_, err := w.ListRoles(t.Context(), in)
		refused(t, name, err, "400 ValidationError")
	}
}

func TestARoleIsUpdated(t *testing.T) {
	w := newWorld(t)
	w.role("a")
	name := aws.String("a")
	for _, step := range []struct {
		in          client.UpdateRoleInput
		description string
		session     int32
	}{
		{client.UpdateRoleInput{Description: aws.String("x"), MaxSessionDuration: aws.Int32(7200)}, "x", 7200},
		{client.UpdateRoleInput{MaxSessionDuration: aws.Int32(7201)}, "x", 7201},
		{client.UpdateRoleInput{Description: aws.String("")}, "", 7201},
	} {
		step.in.RoleName = name
		must(w.UpdateRole(t.Context(), &step.in))(t)
		got := must(w.GetRole(t.Context(), &client.GetRoleInput{RoleName: name}))(t).Role
		if aws.ToString(got.Description) != step.description || *got.MaxSessionDuration != step.session {
			t.Errorf("got %q, %d", aws.ToString(got.Description), *got.MaxSessionDuration)
		}
	}
	out := must(w.UpdateRoleDescription(t.Context(), &client.UpdateRoleDescriptionInput{
		RoleName: name, Description: aws.String("y"),
	}))(t)
	if *out.Role.Description != "y" {
		t.Errorf("got %q", *out.Role.Description)
	}
}

func TestTagsOfRolesIgnoreCase(t *testing.T) {
	w := newWorld(t)
	w.role("a")
	name := aws.String("a")
	tag := func(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }
	must(w.TagRole(t.Context(), &client.TagRoleInput{
		RoleName: name, Tags: []types.Tag{tag("Team", "x"), tag("b", "1"), tag("c", "")},
	}))(t)
	must(w.TagRole(t.Context(), &client.TagRoleInput{RoleName: name, Tags: []types.Tag{tag("team", "y")}}))(t)
	must(w.UntagRole(t.Context(), &client.UntagRoleInput{RoleName: name, TagKeys: []string{"B", "no"}}))(t)
	first := must(w.ListRoleTags(t.Context(), &client.ListRoleTagsInput{RoleName: name, MaxItems: aws.Int32(1)}))(t)
	second := must(w.ListRoleTags(t.Context(), &client.ListRoleTagsInput{RoleName: name, Marker: first.Marker}))(t)
	ignore := cmpopts.IgnoreUnexported(types.Tag{})
	got := append(first.Tags, second.Tags...)
	if diff := cmp.Diff([]types.Tag{tag("c", ""), tag("team", "y")}, got, ignore); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var many []types.Tag
	for i := range 49 {
		many = append(many, tag(strconv.Itoa(i), ""))
	}
	_, err := w.TagRole(t.Context(), &client.TagRoleInput{RoleName: name, Tags: many})
	refused(t, "51 tags", err, "409 LimitExceeded The number of tags has reached the maximum limit.")
}
