package cloudformation

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/policy"
	"aloft.dev/aloft/internal/stack"
)

// identity writes the servers' role with its policy, and their instance profile. The parameter
// with the environment is not written: CloudFormation cannot make one that is encrypted (AWS
// CloudFormation User Guide, AWS::SSM::Parameter).
func (c *code) identity() {
	for _, r := range c.Roles {
		policies := []object{{"PolicyName": stack.RolePolicy, "PolicyDocument": c.document(r.Policy)}}
		c.add(r.Address, "AWS::IAM::Role", map[string]string{"RoleName": r.ID}, object{
			"RoleName": c.anywhere(r.ID), "Description": aws.ToString(r.AWS.Description),
			"AssumeRolePolicyDocument": c.document(r.Trust), "Policies": policies, "Tags": c.tags(r.Tags),
		}).isKnownAs(r.ID, "")
	}
	for _, p := range c.Profiles {
		roles := []any{}
		for _, r := range p.AWS.Roles {
			roles = append(roles, c.value(aws.ToString(r.RoleName)))
		}
		// The role has the same name. From here on, the name means the profile.
		c.add(p.Address, "AWS::IAM::InstanceProfile", map[string]string{"InstanceProfileName": p.ID}, object{
			"InstanceProfileName": c.anywhere(p.ID), "Roles": roles,
		}).isKnownAs(p.ID, "")
	}
}

// logGroups writes the log group. Its lines stay in it.
func (c *code) logGroups() {
	for _, g := range c.LogGroups {
		c.add(g.Address, "AWS::Logs::LogGroup", map[string]string{"LogGroupName": g.ID}, object{
			"LogGroupName": g.ID, "RetentionInDays": aws.ToInt32(g.AWS.RetentionInDays), "Tags": c.tags(g.Tags),
		})
	}
}

// buckets writes the bucket of access logs. Names are unique among all accounts, so that the
// account and the region are parts of its name.
func (c *code) buckets() {
	for _, b := range c.Buckets {
		properties := object{"BucketName": c.bucketName(), "Tags": c.tags(b.Tags)}
		if b.Value(stack.AttrPublicAccess) == stack.Blocked {
			properties["PublicAccessBlockConfiguration"] = object{
				"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true,
				"RestrictPublicBuckets": true,
			}
		}
		if b.Days > 0 {
			properties["LifecycleConfiguration"] = object{"Rules": []object{{
				"Id": stack.ExpiryRule, "Status": "Enabled", "Prefix": "", "ExpirationInDays": b.Days,
			}}}
		}
		c.add(b.Address, "AWS::S3::Bucket", map[string]string{"BucketName": b.ID}, properties).isKnownAs(b.ID, "")
		if b.Value(stack.AttrDelivery) != stack.On {
			continue
		}
		document := c.document(stack.DeliveryPolicy(policy.Partition(c.Region), b.ID, c.Account))
		c.delivery = append(c.delivery, c.add(b.Address+"-policy", "AWS::S3::BucketPolicy",
			map[string]string{"Bucket": b.ID},
			object{"Bucket": c.value(b.ID), "PolicyDocument": document}).id)
	}
}

// bucketName returns the name that Aloft gives the bucket in the stack's account and region.
func (c *code) bucketName() any {
	return object{"Fn::Sub": strings.Join([]string{stack.BucketPrefix(c.App), "${AWS::AccountId}-${AWS::Region}"}, "")}
}
