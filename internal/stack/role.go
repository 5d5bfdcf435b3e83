package stack

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/policy"
)

// KindRole is the kind of an IAM role.
const KindRole Kind = "role"

var roleKind = properties{kind: KindRole, uniqueName: true}

// AddressRole is the address of the role of the application's servers.
const AddressRole = "role"

// RolePolicy is the name of the only inline policy of a role.
const RolePolicy = "aloft"

// Attributes of a role.
const (
	AttrTrusts      AttributeKey = "trusts"      // who may assume it
	AttrPermissions AttributeKey = "permissions" // a text for each statement of its policy
)

// Role describes what the application's servers may do in AWS.
type Role struct {
	RoleName   string
	Principal  string // the service that may assume it: "ec2.amazonaws.com"
	Statements []Statement
}

// Statement is a statement of an IAM policy that allows actions.
type Statement struct {
	Effect   string
	Action   []string
	Resource []string
}

// String returns the statement as plans show it: "s3:GetObject on arn:aws:s3:::shop/*".
func (s Statement) String() string {
	return strings.Join(s.Action, ", ") + " on " + strings.Join(s.Resource, ", ")
}

// allow returns a statement that allows actions on resources.
func allow(actions, resources []string) Statement {
	return Statement{Effect: "Allow", Action: actions, Resource: resources}
}

// document is an IAM policy.
type document struct {
	Version   string
	Statement any
}

func (d document) String() string {
	d.Version = "2012-10-17"
	text, err := json.Marshal(d)
	if err != nil {
		panic(fmt.Sprintf("texts and lists have a JSON form: %v", err))
	}
	return string(text)
}

// Policy returns the role's policy in JSON.
func (r Role) Policy() string { return document{Statement: r.Statements}.String() }

// Trust returns the document in JSON that says who may assume the role.
func (r Role) Trust() string {
	return document{Statement: []any{map[string]any{
		"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]string{"Service": r.Principal},
	}}}.String()
}

// Kind implements Body.
func (Role) Kind() Kind { return KindRole }

// Title implements Body.
func (r Role) Title() string { return "IAM role " + r.RoleName + " for the servers" }

// Attributes implements Body.
func (r Role) Attributes() []Attribute {
	permissions := Attribute{Key: AttrPermissions}
	for _, s := range r.Statements {
		permissions.Terms = append(permissions.Terms, Term{Text: s.String()})
	}
	return []Attribute{fixed(text(AttrName, r.RoleName)), text(AttrTrusts, r.Principal), permissions}
}

// Needs implements Body.
func (Role) Needs() []Ref { return nil }

// RoleName returns the name of an application's role and of its instance profile. Roles
// are the account's, so the name contains the region.
func RoleName(app, region string) string { return "aloft-" + app + "-" + region }

// role returns the role with the least permissions: to read its own variables and what
// secrets refer to, and what the spec allows the application.
func (b *builder) role() Role {
	partition, region := policy.Partition(b.spec.Region), b.spec.Region
	principal := "ec2.amazonaws.com"
	if partition == "aws-cn" {
		principal += ".cn"
	}
	parameters := []string{parameterARN(partition, region, "/aloft/"+b.spec.App+"/env/*")}
	var secrets []string
	for _, reference := range b.references() {
		service, name, _ := strings.Cut(reference, ":")
		if service == "ssm" {
			parameters = append(parameters, parameterARN(partition, region, name))
			continue
		}
		name, _, _ = strings.Cut(name, "#")
		secrets = append(secrets, secretARNs(partition, region, name)...)
	}
	slices.Sort(secrets)
	role := Role{
		RoleName: RoleName(b.spec.App, region), Principal: principal,
		Statements: []Statement{allow([]string{"ssm:GetParameter"}, slices.Compact(parameters))},
	}
	if len(secrets) > 0 {
		role.Statements = append(role.Statements,
			allow([]string{"secretsmanager:GetSecretValue"}, slices.Compact(secrets)))
	}
	if b.spec.Logs != nil {
		group := "arn:" + partition + ":logs:" + region + ":*:log-group:" + LogGroupName(b.spec.App) + ":*"
		role.Statements = append(role.Statements,
			allow([]string{"logs:CreateLogStream", "logs:PutLogEvents"}, []string{group}))
	}
	for _, p := range b.spec.Permissions {
		role.Statements = append(role.Statements, allow(p.Actions, p.Resources))
	}
	return role
}

// references returns the references of secrets, sorted. While a release is made, they
// include those of the serving one, whose servers may start again.
func (b *builder) references() []string {
	all := slices.Collect(maps.Values(b.facts.Environment.Secrets))
	if serving := b.facts.Serving; b.stack.Partial() && serving != nil {
		all = append(all, slices.Collect(maps.Values(serving.Secrets))...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// parameterARN returns the ARN of a parameter in any account (Service Authorization
// Reference, "Actions, resources, and condition keys for AWS Systems Manager").
func parameterARN(partition, region, name string) string {
	return fmt.Sprintf("arn:%s:ssm:%s:*:parameter/%s", partition, region, strings.TrimPrefix(name, "/"))
}

// secretARNs returns patterns for the ARN of a secret, which ends with six characters that
// Secrets Manager chooses (AWS Secrets Manager User Guide, "Secrets Manager secret ARN").
// name is the secret's name or its ARN, with or without them.
func secretARNs(partition, region, name string) []string {
	if strings.HasPrefix(name, "arn:") {
		return []string{name, name + "-??????"}
	}
	return []string{fmt.Sprintf("arn:%s:secretsmanager:%s:*:secret:%s-??????", partition, region, name)}
}

// addIdentity adds the environment, and the role with the instance profile through which
// servers have it. An application that needs none of them gets none.
func (b *builder) addIdentity() {
	e := b.facts.Environment
	if e == nil {
		return
	}
	b.stack.Resources = append(b.stack.Resources, EnvironmentResource(b.spec.App, *e, b.facts.Salt, TagsOf(b.spec)))
	if b.spec.Logs != nil {
		b.add(AddressLogGroup, "", LogGroup{GroupName: LogGroupName(b.spec.App), Days: b.spec.Logs.Days()})
	}
	if b.spec.Machines.Role != "" {
		return
	}
	b.add(AddressRole, "", b.role())
	b.add(AddressInstanceProfile, "", InstanceProfile{
		ProfileName: RoleName(b.spec.App, b.spec.Region), Role: id(AddressRole),
	})
}

// identity returns what gives servers their role and their variables.
func (b *builder) identity() Identity {
	i := Identity{UserData: userData(b.spec)}
	if b.facts.Environment != nil {
		i.Environment = id(AddressEnvironment)
		i.Profile = Term{Ref: Ref{AddressInstanceProfile, "name"}}
	}
	if role := b.spec.Machines.Role; role != "" {
		i.Profile = Term{Text: role}
	}
	return i
}
