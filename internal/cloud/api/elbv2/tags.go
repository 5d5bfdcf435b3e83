package elbv2

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// readTags validates the tags of a request (Elastic Load Balancing API Reference,
// Tag).
func readTags(given []types.Tag) (store.Tags, error) {
	tags := make(store.Tags, len(given))
	for _, t := range given {
		key, value := aws.ToString(t.Key), aws.ToString(t.Value)
		if err := model.CheckTag(key, value); err != nil {
			return nil, err
		}
		if _, twice := tags[key]; twice {
			return nil, wire.Errorf("DuplicateTagKeys", "A tag key was specified more than once: %s", key)
		}
		tags[key] = value
	}
	if len(tags) > constraint.MaxTags {
		return nil, tooManyTags()
	}
	return tags, nil
}

func tooManyTags() error {
	return wire.Errorf(
		"TooManyTags",
		"The quota for the number of tags that can be assigned to a load balancer resource has been reached",
	)
}

func describeTags(tags store.Tags) []types.Tag {
	out := make([]types.Tag, 0, len(tags))
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, types.Tag{Key: new(key), Value: new(tags[key])})
	}
	return out
}

// taggedResource is a resource's tags and a way to replace them.
type taggedResource struct {
	tags store.Tags
	set  func(tx *store.Tx, tags store.Tags)
}

// findTagged returns the tags of the resource with the ARN.
func findTagged(r store.Reader, region identity.Region, arn string) (taggedResource, error) {
	switch {
	case arnResource(arn, "loadbalancer") != "":
		lb, err := loadBalancer(r, region, &arn)
		if err != nil {
			return taggedResource{}, err
		}
		return taggedResource{lb.Tags, func(tx *store.Tx, tags store.Tags) {
			store.LoadBalancers.Edit(tx, arn, func(lb *store.LoadBalancer) { lb.Tags = tags })
		}}, nil
	case arnResource(arn, "targetgroup") != "":
		group, err := targetGroup(r, region, &arn)
		if err != nil {
			return taggedResource{}, err
		}
		return taggedResource{group.Tags, func(tx *store.Tx, tags store.Tags) {
			store.TargetGroups.Edit(tx, arn, func(group *store.TargetGroup) { group.Tags = tags })
		}}, nil
	case arnResource(arn, "listener-rule") != "":
		rule, _, err := nonDefaultRule(r, region, &arn, "tagged")
		if err != nil {
			return taggedResource{}, err
		}
		return taggedResource{rule.Tags, func(tx *store.Tx, tags store.Tags) {
			store.Rules.Edit(tx, arn, func(rule *store.Rule) { rule.Tags = tags })
		}}, nil
	case arnResource(arn, "listener") != "":
		l, err := listener(r, region, &arn)
		if err != nil {
			return taggedResource{}, err
		}
		return taggedResource{l.Tags, func(tx *store.Tx, tags store.Tags) {
			store.Listeners.Edit(tx, arn, func(l *store.Listener) { l.Tags = tags })
		}}, nil
	}
	return taggedResource{}, invalid("'%s' is not a valid ARN of a load balancer, target group, listener or rule", arn)
}

// changeTags changes the tags of all the resources or of none.
func (a *API) changeTags(ctx context.Context, arns []string, change func(store.Tags) error) error {
	if len(arns) == 0 {
		return model.Null("resourceArns")
	}
	return a.store.Update(func(tx *store.Tx) error {
		for _, arn := range arns {
			found, err := findTagged(tx, wire.RegionFrom(ctx), arn)
			if err != nil {
				return err
			}
			tags := make(store.Tags, len(found.tags))
			maps.Copy(tags, found.tags)
			if err := change(tags); err != nil {
				return err
			}
			found.set(tx, tags)
		}
		return nil
	})
}

// AddTags adds tags to resources or replaces their values.
func (a *API) AddTags(ctx context.Context, in *elb.AddTagsInput) (*elb.AddTagsOutput, error) {
	added, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if len(added) == 0 {
		return nil, model.Null("tags")
	}
	return &elb.AddTagsOutput{}, a.changeTags(ctx, in.ResourceArns, func(tags store.Tags) error {
		maps.Copy(tags, added)
		if len(tags) > constraint.MaxTags {
			return tooManyTags()
		}
		return nil
	})
}

// RemoveTags removes tags from resources. Keys that a resource does not have are
// ignored.
func (a *API) RemoveTags(ctx context.Context, in *elb.RemoveTagsInput) (*elb.RemoveTagsOutput, error) {
	return &elb.RemoveTagsOutput{}, a.changeTags(ctx, in.ResourceArns, func(tags store.Tags) error {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
		return nil
	})
}

// DescribeTags describes the tags of resources.
func (a *API) DescribeTags(ctx context.Context, in *elb.DescribeTagsInput) (*elb.DescribeTagsOutput, error) {
	if len(in.ResourceArns) == 0 || len(in.ResourceArns) > 20 {
		return nil, model.RefuseWithoutValue("resourceArns", "have between 1 and 20 elements")
	}
	view, out := a.store.Read(ctx), &elb.DescribeTagsOutput{}
	for _, arn := range in.ResourceArns {
		found, err := findTagged(view, wire.RegionFrom(ctx), arn)
		if err != nil {
			return nil, err
		}
		out.TagDescriptions = append(
			out.TagDescriptions,
			types.TagDescription{ResourceArn: new(arn), Tags: describeTags(found.tags)},
		)
	}
	return out, nil
}
