package resource

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

type tagAPI interface {
	DescribeTags(context.Context, *ec2.DescribeTagsInput, ...func(*ec2.Options)) (*ec2.DescribeTagsOutput, error)
	CreateTags(context.Context, *ec2.CreateTagsInput, ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error)
	DeleteTags(context.Context, *ec2.DeleteTagsInput, ...func(*ec2.Options)) (*ec2.DeleteTagsOutput, error)
}

// tag is a tag of any service.
type tag struct{ key, value string }

// tags returns the tags that every resource gets, followed by more and by those that the
// spec asks for.
func (c *Cloud) tags(r stack.Resource, more ...tag) []tag {
	all := append([]tag{{stack.TagApp, c.App}, {stack.TagAddress, r.Address}, {stack.TagName, r.Name}}, more...)
	return append(all, userTags(r.Tags)...)
}

// userTags returns the tags that the spec asks for and the one that records them.
func userTags(tags map[string]string) []tag {
	all, recorded := []tag{}, stack.WithRecord(tags)
	for _, key := range slices.Sorted(maps.Keys(recorded)) {
		all = append(all, tag{key, recorded[key]})
	}
	return all
}

func ec2Tags(tags []tag) []types.Tag {
	all := make([]types.Tag, len(tags))
	for i, t := range tags {
		all[i] = types.Tag{Key: aws.String(t.key), Value: aws.String(t.value)}
	}
	return all
}

// tagSpecifications applies tags to the resources that a call creates.
func tagSpecifications(tags []tag, kinds ...types.ResourceType) []types.TagSpecification {
	all := make([]types.TagSpecification, len(kinds))
	for i, kind := range kinds {
		all[i] = types.TagSpecification{ResourceType: kind, Tags: ec2Tags(tags)}
	}
	return all
}

// tagInstance sets one tag of an instance.
func (c *Cloud) tagInstance(ctx context.Context, id string, t tag) error {
	return retryEventual(ctx, "tag "+id, func(ctx context.Context) error {
		_, err := c.EC2.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{id}, Tags: ec2Tags([]tag{t})})
		return err
	})
}

func tagValue(tags []types.Tag, key string) string {
	for _, t := range tags {
		if aws.ToString(t.Key) == key {
			return aws.ToString(t.Value)
		}
	}
	return ""
}

// tagged returns filters that select the application's resources.
func (c *Cloud) tagged() []types.Filter {
	return []types.Filter{awsapi.Filter("tag:"+stack.TagApp, c.App)}
}

// foundByTags returns a resource of EC2 with the address from its tags.
func foundByTags(kind stack.Kind, id *string, tags []types.Tag) plan.Found {
	f := plan.Found{Address: tagValue(tags, stack.TagAddress), Kind: kind, ID: aws.ToString(id)}
	setTags(&f, tagsOf(tags, func(t types.Tag) (key, value *string) { return t.Key, t.Value }))
	return f
}

func onOff(on bool) string {
	if on {
		return stack.On
	}
	return stack.Off
}

func yesNo(yes bool) string {
	if yes {
		return stack.Yes
	}
	return stack.No
}
