package terraform

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/stack"
)

const identityFile = "identity.tf"

// identity writes the servers' role with its policy, and their instance profile.
func (c *code) identity() {
	for _, r := range c.Roles {
		c.resource(identityFile, "aws_iam_role", r.Address, r.ID).
			text("name", r.ID).text("description", aws.ToString(r.AWS.Description)).
			text("assume_role_policy", r.Trust).tags(r.Tags).isKnownAs(r.ID, "name")
		c.resource(identityFile, "aws_iam_role_policy", r.Address, r.ID+":"+stack.RolePolicy).
			text("name", stack.RolePolicy).text("role", r.ID).text("policy", r.Policy)
	}
	for _, p := range c.Profiles {
		// The role has the same name, so that the name of the profile is written first.
		b := c.resource(identityFile, "aws_iam_instance_profile", p.Address, p.ID)
		role := c.references[p.ID]
		delete(c.references, p.ID)
		b.text("name", p.ID)
		if role != nil {
			b.body.SetAttributeTraversal("role", role)
		}
		b.tags(p.Tags).isKnownAs(p.ID, "name")
	}
}

// environments writes the parameter of the environment without its value.
func (c *code) environments() {
	for _, e := range c.Environments {
		c.declare("environment", variable{
			what:  "value of the parameter with the environment; an imported one keeps its own",
			value: "unset", sensitive: true,
		})
		c.resource(identityFile, "aws_ssm_parameter", e.Address, e.Name).text("name", e.Name).
			text("description", "Aloft: the environment of "+c.App).
			text("type", string(ssmtypes.ParameterTypeSecureString)).
			text("tier", string(ssmtypes.ParameterTierIntelligentTiering)).variable("value", "environment").
			tags(e.Tags).ignores("value", "tier")
	}
}
