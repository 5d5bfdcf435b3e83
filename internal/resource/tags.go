package resource

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// pair is a tag.
type pair struct{ key, value string }

// tags are those that everything gets, and more.
func (c *Cloud) tags(r stack.Resource, more ...pair) []pair {
	return append([]pair{{stack.TagApp, c.App}, {stack.TagAddress, r.Address}, {stack.TagName, r.Name}}, more...)
}

func ec2Tags(pairs []pair) []types.Tag {
	all := make([]types.Tag, len(pairs))
	for i, p := range pairs {
		all[i] = types.Tag{Key: aws.String(p.key), Value: aws.String(p.value)}
	}
	return all
}

// tagged puts tags on what a call creates.
func tagged(pairs []pair, kinds ...types.ResourceType) []types.TagSpecification {
	all := make([]types.TagSpecification, len(kinds))
	for i, kind := range kinds {
		all[i] = types.TagSpecification{ResourceType: kind, Tags: ec2Tags(pairs)}
	}
	return all
}

func elbTags(pairs []pair) []elbtypes.Tag {
	all := make([]elbtypes.Tag, len(pairs))
	for i, p := range pairs {
		all[i] = elbtypes.Tag{Key: aws.String(p.key), Value: aws.String(p.value)}
	}
	return all
}

func tag(tags []types.Tag, key string) string {
	for _, t := range tags {
		if aws.ToString(t.Key) == key {
			return aws.ToString(t.Value)
		}
	}
	return ""
}

// ours selects what carries the application's tag.
func (c *Cloud) ours() []types.Filter {
	return []types.Filter{filter("tag:"+stack.TagApp, c.App)}
}

func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: aws.String(name), Values: values}
}

// found begins the description of something of EC2 by its tags.
func found(kind stack.Kind, id *string, tags []types.Tag) plan.Found {
	return plan.Found{
		Address: tag(tags, stack.TagAddress),
		Kind:    kind,
		ID:      aws.ToString(id),
		Status:  map[string]string{},
	}
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
