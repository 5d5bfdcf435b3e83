package resource

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	autoscalingtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// tagsOf returns the tags of any service by their keys.
func tagsOf[T any](tags []T, read func(T) (key, value *string)) map[string]string {
	all := map[string]string{}
	for _, t := range tags {
		key, value := read(t)
		all[aws.ToString(key)] = aws.ToString(value)
	}
	return all
}

// setTags sets the tags of a resource that a spec has asked for, given all that it has.
func setTags(f *plan.Found, all map[string]string) {
	tags, complete := stack.Recorded(all)
	values := stack.TagTexts(tags)
	if !complete {
		values = append(values, "one that was removed")
	}
	f.Status.Tags = tags
	f.Set(stack.AttrTags, values...)
}

// addTagsOfMembers adds the tags of a group's machines to those of the group, which gives
// them only to new ones.
func addTagsOfMembers(f *plan.Found, members []plan.Found) {
	values := f.Values(stack.AttrTags)
	tags := maps.Clone(f.Status.Tags)
	for _, m := range members {
		f.Status.TagIDs = append(f.Status.TagIDs, m.Status.TagIDs...)
		maps.Copy(tags, m.Status.Tags)
		if others := m.Values(stack.AttrTags); !slices.Equal(others, f.Values(stack.AttrTags)) {
			values = append(values, "others on "+m.ID)
		}
	}
	f.Status.Tags = tags
	f.Set(stack.AttrTags, values...)
}

// changeTags sets the tags of a resource that the spec asks for, and removes those that an
// earlier spec has asked for. It leaves all others.
func (p *Provisioner) changeTags(ctx context.Context, r stack.Resource, f plan.Found) error {
	set := userTags(r.Tags)
	var remove []string
	for _, key := range slices.Sorted(maps.Keys(f.Status.Tags)) {
		if _, wanted := r.Tags[key]; !wanted {
			remove = append(remove, key)
		}
	}
	if len(set) == 0 {
		remove = append(remove, stack.TagKeys)
	}
	tagger := p.taggerOf(f)
	if len(remove) > 0 {
		// The record changes last, so that the next run knows what this one has left.
		if err := retryEventual(ctx, "remove tags of "+f.Label(), func(ctx context.Context) error {
			return tagger.remove(ctx, remove)
		}); err != nil {
			return err
		}
	}
	if len(set) == 0 {
		return nil
	}
	return retryEventual(ctx, "tag "+f.Label(), func(ctx context.Context) error { return tagger.set(ctx, set) })
}

// tagger changes the tags of one resource.
type tagger struct {
	set    func(context.Context, []tag) error
	remove func(ctx context.Context, keys []string) error
}

// taggerOf returns what changes the tags of a resource of any kind.
func (p *Provisioner) taggerOf(f plan.Found) tagger {
	switch f.Kind {
	case stack.KindTargetGroup, stack.KindLoadBalancer, stack.KindListener:
		return p.elbTagger(f.ID)
	case stack.KindScalingGroup:
		return p.scalingGroupTagger(f)
	case stack.KindRole:
		return p.roleTagger(f.ID)
	case stack.KindInstanceProfile:
		return p.profileTagger(f.ID)
	case stack.KindEnvironment:
		return p.parameterTagger(f.Name)
	case stack.KindCertificate:
		return p.certificateTagger(f.ID)
	case stack.KindLogGroup:
		return p.logGroupTagger(f.Status.TagIDs[0])
	case stack.KindBucket:
		return p.bucketTagger(f.ID)
	case stack.KindTopic:
		return p.topicTagger(f.ID)
	case stack.KindAlarm:
		return p.alarmTagger(f.ID)
	}
	ids := f.Status.TagIDs
	if len(ids) == 0 {
		ids = []string{f.ID}
	}
	return p.ec2Tagger(ids)
}

func (p *Provisioner) ec2Tagger(ids []string) tagger {
	return tagger{
		set: func(ctx context.Context, tags []tag) error {
			_, err := p.EC2.CreateTags(ctx, &ec2.CreateTagsInput{Resources: ids, Tags: ec2Tags(tags)})
			return err
		},
		remove: func(ctx context.Context, keys []string) error {
			in := &ec2.DeleteTagsInput{Resources: ids}
			for _, key := range keys {
				in.Tags = append(in.Tags, types.Tag{Key: aws.String(key)})
			}
			_, err := p.EC2.DeleteTags(ctx, in)
			return err
		},
	}
}

func (p *Provisioner) elbTagger(arn string) tagger {
	return tagger{
		set: func(ctx context.Context, tags []tag) error {
			_, err := p.ELB.AddTags(ctx, &elb.AddTagsInput{ResourceArns: []string{arn}, Tags: elbTags(tags)})
			return err
		},
		remove: func(ctx context.Context, keys []string) error {
			_, err := p.ELB.RemoveTags(ctx, &elb.RemoveTagsInput{ResourceArns: []string{arn}, TagKeys: keys})
			return err
		},
	}
}

// scalingGroupTagger changes the tags of a group and those of its machines: the group
// gives its tags only to machines that it launches later (Amazon EC2 Auto Scaling User
// Guide, "Tag Auto Scaling groups and instances").
func (p *Provisioner) scalingGroupTagger(f plan.Found) tagger {
	members := p.ec2Tagger(f.Status.TagIDs)
	return tagger{
		set: func(ctx context.Context, tags []tag) error {
			in := &autoscaling.CreateOrUpdateTagsInput{Tags: groupTags(tags, f.ID, true)}
			if _, err := p.ASG.CreateOrUpdateTags(ctx, in); err != nil || len(f.Status.TagIDs) == 0 {
				return err
			}
			return members.set(ctx, tags)
		},
		remove: func(ctx context.Context, keys []string) error {
			in := &autoscaling.DeleteTagsInput{}
			for _, key := range keys { // a tag with a value is removed only if it has that value
				in.Tags = append(in.Tags, autoscalingtypes.Tag{
					Key: aws.String(key), ResourceId: &f.ID, ResourceType: aws.String(groupResourceType),
				})
			}
			if _, err := p.ASG.DeleteTags(ctx, in); err != nil || len(f.Status.TagIDs) == 0 {
				return err
			}
			return members.remove(ctx, keys)
		},
	}
}

// groupResourceType is the type of groups in the tags of Auto Scaling.
const groupResourceType = "auto-scaling-group"

// groupTags returns tags of an Auto Scaling group. launched reports whether machines that
// it launches get them too.
func groupTags(tags []tag, group string, launched bool) []autoscalingtypes.Tag {
	all := make([]autoscalingtypes.Tag, len(tags))
	for i, t := range tags {
		all[i] = autoscalingtypes.Tag{
			Key: aws.String(t.key), Value: aws.String(t.value), PropagateAtLaunch: aws.Bool(launched),
			ResourceId: &group, ResourceType: aws.String(groupResourceType),
		}
	}
	return all
}

func (p *Provisioner) roleTagger(name string) tagger {
	return tagger{
		set: func(ctx context.Context, tags []tag) error {
			_, err := p.IAM.TagRole(ctx, &iam.TagRoleInput{RoleName: &name, Tags: iamTags(tags)})
			return err
		},
		remove: func(ctx context.Context, keys []string) error {
			_, err := p.IAM.UntagRole(ctx, &iam.UntagRoleInput{RoleName: &name, TagKeys: keys})
			return err
		},
	}
}

func (p *Provisioner) profileTagger(name string) tagger {
	return tagger{
		set: func(ctx context.Context, tags []tag) error {
			in := &iam.TagInstanceProfileInput{InstanceProfileName: &name, Tags: iamTags(tags)}
			_, err := p.IAM.TagInstanceProfile(ctx, in)
			return err
		},
		remove: func(ctx context.Context, keys []string) error {
			in := &iam.UntagInstanceProfileInput{InstanceProfileName: &name, TagKeys: keys}
			_, err := p.IAM.UntagInstanceProfile(ctx, in)
			return err
		},
	}
}

func ssmTags(tags []tag) []ssmtypes.Tag {
	all := make([]ssmtypes.Tag, len(tags))
	for i, t := range tags {
		all[i] = ssmtypes.Tag{Key: aws.String(t.key), Value: aws.String(t.value)}
	}
	return all
}

func (p *Provisioner) parameterTagger(name string) tagger {
	const kind = ssmtypes.ResourceTypeForTaggingParameter
	return tagger{
		set: func(ctx context.Context, tags []tag) error {
			_, err := p.SSM.AddTagsToResource(ctx, &ssm.AddTagsToResourceInput{
				ResourceType: kind, ResourceId: &name, Tags: ssmTags(tags),
			})
			return err
		},
		remove: func(ctx context.Context, keys []string) error {
			_, err := p.SSM.RemoveTagsFromResource(ctx, &ssm.RemoveTagsFromResourceInput{
				ResourceType: kind, ResourceId: &name, TagKeys: keys,
			})
			return err
		},
	}
}

// setParameterTags sets the tags of the environment's parameter. Credentials that may not
// read them matter only if the spec asks for tags.
func (d *discovery) setParameterTags(ctx context.Context, f *plan.Found) error {
	out, err := d.SSM.ListTagsForResource(ctx, &ssm.ListTagsForResourceInput{
		ResourceType: ssmtypes.ResourceTypeForTaggingParameter, ResourceId: &f.Name,
	})
	switch {
	case awsapi.Code(err) == "InvalidResourceId", // it was deleted since it was read
		!d.Tagged && (awsapi.IsForbidden(err) || awsapi.IsUnsupported(err)):
		setTags(f, nil)
		return nil
	case err != nil:
		return fmt.Errorf("read the tags of parameter %s: %w", f.Name, err)
	}
	setTags(f, tagsOf(out.TagList, func(t ssmtypes.Tag) (key, value *string) { return t.Key, t.Value }))
	return nil
}
