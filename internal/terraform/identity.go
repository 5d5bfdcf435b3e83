package terraform

import (
	"context"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/stack"
)

func iamTags(tags []iamtypes.Tag) map[string]string {
	all := map[string]string{}
	for _, t := range tags {
		all[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return all
}

const identityFile = "identity.tf"

// unescaped returns a document of IAM, which is URL-encoded (IAM API Reference, GetRole).
func unescaped(document *string) string {
	text, err := url.PathUnescape(aws.ToString(document))
	if err != nil {
		return aws.ToString(document)
	}
	return text
}

// identity writes the servers' role with its policy, and their instance profile.
func (c *code) identity(ctx context.Context) error {
	api := c.source.Client.IAM
	for _, f := range c.source.kind(stack.KindRole) {
		role, err := api.GetRole(ctx, &iam.GetRoleInput{RoleName: &f.ID})
		if err != nil {
			return reading("role "+f.ID, err)
		}
		c.resource(identityFile, "aws_iam_role", f.Address, f.ID).
			text("name", f.ID).text("description", aws.ToString(role.Role.Description)).
			text("assume_role_policy", unescaped(role.Role.AssumeRolePolicyDocument)).tags(iamTags(role.Role.Tags)).
			isKnownAs(f.ID, "name")
		name := stack.RolePolicy
		policy, err := api.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &f.ID, PolicyName: &name})
		if err != nil {
			return reading("the policy of role "+f.ID, err)
		}
		c.resource(identityFile, "aws_iam_role_policy", f.Address, f.ID+":"+name).
			text("name", name).text("role", f.ID).text("policy", unescaped(policy.PolicyDocument))
	}
	for _, f := range c.source.kind(stack.KindInstanceProfile) {
		profile, err := api.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: &f.ID})
		if err != nil {
			return reading("instance profile "+f.ID, err)
		}
		// The role has the same name, so that the name of the profile is written first.
		b := c.resource(identityFile, "aws_iam_instance_profile", f.Address, f.ID)
		role := c.references[f.ID]
		delete(c.references, f.ID)
		b.text("name", f.ID)
		if role != nil {
			b.body.SetAttributeTraversal("role", role)
		}
		b.tags(iamTags(profile.InstanceProfile.Tags)).isKnownAs(f.ID, "name")
	}
	return nil
}

// environments writes the parameter of the environment without its value.
func (c *code) environments(ctx context.Context) error {
	for _, f := range c.source.kind(stack.KindEnvironment) {
		tags, err := c.source.Client.SSM.ListTagsForResource(ctx, &ssm.ListTagsForResourceInput{
			ResourceType: ssmtypes.ResourceTypeForTaggingParameter, ResourceId: &f.Name,
		})
		if err != nil {
			return reading("the tags of parameter "+f.Name, err)
		}
		all := map[string]string{}
		for _, t := range tags.TagList {
			all[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		c.declare("environment", variable{
			what:  "value of the parameter with the environment; an imported one keeps its own",
			value: "unset", sensitive: true,
		})
		b := c.resource(identityFile, "aws_ssm_parameter", f.Address, f.Name).text("name", f.Name).
			text("description", "Aloft: the environment of "+c.source.App).
			text("type", string(ssmtypes.ParameterTypeSecureString)).
			text("tier", string(ssmtypes.ParameterTierIntelligentTiering)).variable("value", "environment").tags(all)
		b.ignores("value", "tier")
	}
	return nil
}
