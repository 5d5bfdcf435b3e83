package blueprint

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// Role is the servers' role.
type Role struct {
	Item[types.Role]
	Trust  string // who may assume it, a document in JSON
	Policy string // the document of its policy stack.RolePolicy
}

func iamTags(tags []types.Tag) map[string]string {
	return tagsOf(tags, func(t types.Tag) (key, value *string) { return t.Key, t.Value })
}

// unescaped returns a document of IAM, which is URL-encoded (IAM API Reference, GetRole).
func unescaped(document *string) string {
	text, err := url.PathUnescape(aws.ToString(document))
	if err != nil {
		return aws.ToString(document)
	}
	return text
}

// identity reads the servers' role with its policy, and their instance profile.
func (r *reader) identity(ctx context.Context) error {
	api := r.source.Client.IAM
	roles, err := each(r, stack.KindRole, func(f plan.Found) (types.Role, map[string]string, error) {
		out, err := api.GetRole(ctx, &iam.GetRoleInput{RoleName: &f.ID})
		if err != nil {
			return types.Role{}, nil, err
		}
		return *out.Role, iamTags(out.Role.Tags), nil
	})
	if err != nil {
		return err
	}
	for _, role := range roles {
		policy, err := api.GetRolePolicy(ctx, &iam.GetRolePolicyInput{
			RoleName: &role.ID, PolicyName: aws.String(stack.RolePolicy),
		})
		if err != nil {
			return reading("the policy of role "+role.ID, err)
		}
		r.Roles = append(r.Roles, Role{
			role, unescaped(role.AWS.AssumeRolePolicyDocument), unescaped(policy.PolicyDocument),
		})
	}
	r.Profiles, err = each(r, stack.KindInstanceProfile,
		func(f plan.Found) (types.InstanceProfile, map[string]string, error) {
			out, err := api.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: &f.ID})
			if err != nil {
				return types.InstanceProfile{}, nil, err
			}
			return *out.InstanceProfile, iamTags(out.InstanceProfile.Tags), nil
		})
	return err
}

// environments reads the parameter of the environment without its value.
func (r *reader) environments(ctx context.Context) (err error) {
	r.Environments, err = each(r, stack.KindEnvironment, func(f plan.Found) (struct{}, map[string]string, error) {
		out, err := r.source.Client.SSM.ListTagsForResource(ctx, &ssm.ListTagsForResourceInput{
			ResourceType: ssmtypes.ResourceTypeForTaggingParameter, ResourceId: &f.Name,
		})
		if err != nil {
			return struct{}{}, nil, err
		}
		return struct{}{}, tagsOf(out.TagList, func(t ssmtypes.Tag) (key, value *string) { return t.Key, t.Value }), nil
	})
	return err
}

// logGroups reads the log group. Its lines stay in it.
func (r *reader) logGroups(ctx context.Context) (err error) {
	api := r.source.Client.Logs
	r.LogGroups, err = each(r, stack.KindLogGroup, func(f plan.Found) (logstypes.LogGroup, map[string]string, error) {
		list, err := api.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: &f.ID})
		if err != nil {
			return logstypes.LogGroup{}, nil, err
		}
		for _, g := range list.LogGroups {
			if aws.ToString(g.LogGroupName) != f.ID {
				continue
			}
			tags, err := api.ListTagsForResource(ctx, &cloudwatchlogs.ListTagsForResourceInput{
				ResourceArn: g.LogGroupArn,
			})
			if err != nil {
				return g, nil, err
			}
			return g, tags.Tags, nil
		}
		return logstypes.LogGroup{}, nil, errGone
	})
	return err
}

// Bucket is the bucket of access logs.
type Bucket struct {
	Item[struct{}]
	Days int // after which files are deleted; 0: they stay
}

// buckets reads the bucket of access logs. Its files stay in it.
func (r *reader) buckets(ctx context.Context) error {
	all, err := each(r, stack.KindBucket, func(f plan.Found) (struct{}, map[string]string, error) {
		out, err := r.source.Client.S3.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: &f.ID})
		if err != nil {
			return struct{}{}, nil, err
		}
		return struct{}{}, tagsOf(out.TagSet, func(t s3types.Tag) (key, value *string) { return t.Key, t.Value }), nil
	})
	for _, b := range all {
		days, _ := strconv.Atoi(strings.TrimSuffix(b.Value(stack.AttrRetention), "d")) // another rule counts as none
		r.Buckets = append(r.Buckets, Bucket{b, days})
	}
	return err
}
