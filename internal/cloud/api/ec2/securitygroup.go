package ec2

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// defaultGroup is the name of the security group that every VPC has.
const defaultGroup = "default"

var securityGroups = resourceType[store.SecurityGroup]{
	table: store.SecurityGroups, kind: types.ResourceTypeSecurityGroup, prefix: "sg-",
	notFoundCode: "InvalidGroup.NotFound", notFoundText: "The security group",
	malformedCode: "InvalidGroupId.Malformed",
	key:           func(row *store.SecurityGroup) (identity.Region, string) { return row.Region, row.ID },
	tags:          func(row *store.SecurityGroup) *store.Tags { return &row.Tags },
	filters: withTagFilters(
		func(row *store.SecurityGroup) store.Tags { return row.Tags },
		withRuleFilters(filters[*store.SecurityGroup]{
			"group-id":    field(func(row *store.SecurityGroup) string { return row.ID }),
			"group-name":  field(func(row *store.SecurityGroup) string { return row.Name }),
			"description": field(func(row *store.SecurityGroup) string { return row.Description }),
			"vpc-id":      field(func(row *store.SecurityGroup) string { return row.VPCID }),
			"owner-id":    field(func(row *store.SecurityGroup) string { return row.Region.Account() }),
		}),
	),
}

// withRuleFilters adds the filters by a security group's rules, for both directions.
func withRuleFilters(own filters[*store.SecurityGroup]) filters[*store.SecurityGroup] {
	texts := map[string]func(store.Reader, store.SecurityGroupRule) string{
		"cidr":      func(_ store.Reader, rule store.SecurityGroupRule) string { return ipv4(rule.CIDR) },
		"ipv6-cidr": func(_ store.Reader, rule store.SecurityGroupRule) string { return ipv6(rule.CIDR) },
		"from-port": func(_ store.Reader, rule store.SecurityGroupRule) string { return portText(rule, rule.FromPort) },
		"to-port":   func(_ store.Reader, rule store.SecurityGroupRule) string { return portText(rule, rule.ToPort) },
		"protocol":  func(_ store.Reader, rule store.SecurityGroupRule) string { return rule.Protocol },
		"group-id":  func(_ store.Reader, rule store.SecurityGroupRule) string { return rule.GroupID },
		"group-name": func(r store.Reader, rule store.SecurityGroupRule) string {
			if group, ok := store.SecurityGroups.Get(r, rule.GroupID); ok {
				return group.Name
			}
			return ""
		},
		"user-id": func(r store.Reader, rule store.SecurityGroupRule) string {
			if group, ok := store.SecurityGroups.Get(r, rule.GroupID); ok {
				return group.Region.Account()
			}
			return rule.GroupOwner
		},
		"prefix-list-id": func(_ store.Reader, rule store.SecurityGroupRule) string { return rule.PrefixListID },
	}
	for name, text := range texts {
		own["ip-permission."+name] = byRule(false, text)
		own["egress.ip-permission."+name] = byRule(true, text)
	}
	return own
}

func byRule(
	egress bool,
	text func(store.Reader, store.SecurityGroupRule) string,
) func(store.Reader, *store.SecurityGroup) []string {
	return func(r store.Reader, row *store.SecurityGroup) []string {
		var values []string
		for _, rule := range row.Rules {
			if value := text(r, rule); rule.Egress == egress && value != "" {
				values = append(values, value)
			}
		}
		return values
	}
}

// newSecurityGroup returns a security group that allows all outbound traffic.
func (a *API) newSecurityGroup(vpc *store.VPC, name, description string) *store.SecurityGroup {
	group := &store.SecurityGroup{
		ID: a.ids.ID("sg-"), Region: vpc.Region, VPCID: vpc.ID, Name: name, Description: description,
		Rules: []store.SecurityGroupRule{a.allowAll(anywhere)},
	}
	if len(vpc.IPv6) > 0 {
		group.Rules = append(group.Rules, a.allowAll(anywhere6))
	}
	return group
}

// allowAll returns a rule that allows all outbound traffic to a block.
func (a *API) allowAll(to netip.Prefix) store.SecurityGroupRule {
	return store.SecurityGroupRule{
		ID: a.ids.ID("sgr-"), Egress: true, Protocol: anyProtocol, FromPort: -1, ToPort: -1, CIDR: to,
	}
}

// CreateSecurityGroup creates a security group in the given or the default VPC.
func (a *API) CreateSecurityGroup(
	ctx context.Context, in *ec2.CreateSecurityGroupInput,
) (*ec2.CreateSecurityGroupOutput, error) {
	if err := required(
		parameter{"GroupName", in.GroupName}, parameter{"GroupDescription", in.Description},
	); err != nil {
		return nil, err
	}
	name := strings.TrimSpace(*in.GroupName)
	switch {
	case !validGroupText(name):
		return nil, invalidValue("GroupName", name, "Character sets beyond ASCII are not supported.")
	case strings.HasPrefix(strings.ToLower(name), securityGroups.prefix):
		return nil, invalidValue("GroupName", name, "Group names may not be in the format sg-*.")
	case !validGroupText(*in.Description):
		return nil, invalidValue("GroupDescription", *in.Description, "Character sets beyond ASCII are not supported.")
	case name == defaultGroup:
		return nil, wire.Errorf("InvalidParameterValue", "Cannot use reserved security group name: default")
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeSecurityGroup)
	if err != nil {
		return nil, err
	}
	var group *store.SecurityGroup
	if err := a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		vpc, err := givenOrDefaultVPC(tx, region, in.VpcId)
		if err != nil {
			return err
		}
		if _, taken := groupNamed(tx, vpc.ID, name); taken {
			return wire.Errorf(
				"InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", name, vpc.ID,
			)
		}
		if err := a.limitSecurityGroups(tx, region); err != nil {
			return err
		}
		group = a.newSecurityGroup(vpc, name, *in.Description)
		group.Tags = tags[types.ResourceTypeSecurityGroup]
		store.SecurityGroups.Put(tx, group)
		return nil
	}); err != nil {
		return nil, err
	}
	return &ec2.CreateSecurityGroupOutput{
		GroupId: &group.ID, SecurityGroupArn: aws.String(resourceARN(group.Region, "security-group", group.ID)),
		Tags: tagSet(group.Tags),
	}, nil
}

func groupNamed(r store.Reader, vpcID, name string) (*store.SecurityGroup, bool) {
	for _, group := range store.SecurityGroupsByVPC.List(r, vpcID) {
		if group.Name == name {
			return group, true
		}
	}
	return nil, false
}

// groupByIDOrName returns the security group with the id or, in the default VPC only,
// with the name.
func groupByIDOrName(r store.Reader, region identity.Region, id, name *string) (*store.SecurityGroup, error) {
	if aws.ToString(id) != "" {
		return securityGroups.get(r, region, *id)
	}
	if aws.ToString(name) == "" {
		return nil, wire.Errorf("MissingParameter", "The request must contain the parameter GroupName or GroupId")
	}
	if vpc, ok := defaultVPC(r, region); ok {
		if group, ok := groupNamed(r, vpc.ID, *name); ok {
			return group, nil
		}
		return nil, wire.Errorf(
			"InvalidGroup.NotFound", "The security group '%s' does not exist in default VPC '%s'", *name, vpc.ID,
		)
	}
	return nil, securityGroups.notFound(*name)
}

// DescribeSecurityGroups lists security groups.
func (a *API) DescribeSecurityGroups(
	ctx context.Context, in *ec2.DescribeSecurityGroupsInput,
) (*ec2.DescribeSecurityGroupsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	ids := append([]string{}, in.GroupIds...)
	for _, name := range in.GroupNames {
		group, err := groupByIDOrName(view, region, nil, &name)
		if err != nil {
			return nil, err
		}
		ids = append(ids, group.ID)
	}
	rows, next, err := securityGroups.describe(view, region, describeQuery{
		ids: ids, idParameter: "groupIds", filters: in.Filters, page: pageRequest{in.MaxResults, in.NextToken},
	})
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeSecurityGroupsOutput{SecurityGroups: list(rows, securityGroupItem), NextToken: next}, nil
}

func securityGroupItem(row *store.SecurityGroup) types.SecurityGroup {
	return types.SecurityGroup{
		GroupId:             aws.String(row.ID),
		GroupName:           aws.String(row.Name),
		Description:         aws.String(row.Description),
		VpcId:               aws.String(row.VPCID),
		OwnerId:             aws.String(row.Region.Account()),
		SecurityGroupArn:    aws.String(resourceARN(row.Region, "security-group", row.ID)),
		IpPermissions:       permissions(row, row.Rules, false),
		IpPermissionsEgress: permissions(row, row.Rules, true),
		Tags:                tagSet(row.Tags),
	}
}

// DeleteSecurityGroup deletes a security group that no network interface has and no
// rule of another security group names.
func (a *API) DeleteSecurityGroup(
	ctx context.Context, in *ec2.DeleteSecurityGroupInput,
) (*ec2.DeleteSecurityGroupOutput, error) {
	out := &ec2.DeleteSecurityGroupOutput{Return: aws.Bool(true)}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		group, err := groupByIDOrName(tx, region, in.GroupId, in.GroupName)
		switch {
		case err != nil:
			return err
		case group.Name == defaultGroup:
			return wire.Errorf(
				"CannotDelete", "the specified group: \"%s\" name: \"default\" cannot be deleted by a user", group.ID,
			)
		case groupInUse(tx, group):
			return wire.Errorf("DependencyViolation", "resource %s has a dependent object", group.ID)
		}
		store.SecurityGroups.Delete(tx, group.ID)
		out.GroupId = &group.ID
		return nil
	})
}

func groupInUse(r store.Reader, group *store.SecurityGroup) bool {
	inUse := func(nic *store.NetworkInterface) bool { return slices.Contains(nic.GroupIDs, group.ID) }
	if slices.ContainsFunc(store.NetworkInterfacesInVPC(r, group.VPCID), inUse) {
		return true
	}
	for _, other := range store.SecurityGroupsByVPC.List(r, group.VPCID) {
		for _, rule := range other.Rules {
			if rule.GroupID == group.ID && other.ID != group.ID {
				return true
			}
		}
	}
	return false
}
