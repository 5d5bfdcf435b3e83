//go:build linux

package autoscaling_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

func TestTagsAreReplacedFilteredAndDeleted(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"g", "other"} {
		in := w.groupOfThree()
		in.AutoScalingGroupName = &name
		in.Tags = []types.Tag{{Key: new("n"), Value: new("0")}, {Key: new("all"), Value: new("x")}}
		must(w.CreateAutoScalingGroup(w.ctx, in))(t)
	}
	must(w.CreateOrUpdateTags(w.ctx, &autoscaling.CreateOrUpdateTagsInput{Tags: []types.Tag{{
		ResourceId: new("g"), ResourceType: new("auto-scaling-group"),
		Key: new("n"), Value: new("7"), PropagateAtLaunch: new(true),
	}}}))(t)
	describe := func(filters ...types.Filter) []types.TagDescription {
		t.Helper()
		return must(w.DescribeTags(w.ctx, &autoscaling.DescribeTagsInput{Filters: filters}))(t).Tags
	}
	tags := describe(filter("propagate-at-launch", "true"))
	check(t, "number of propagated tags", len(tags), 1)
	check(t, "Value", *tags[0].Value, "7")
	check(t, "ResourceId", *tags[0].ResourceId, "g")
	check(t, "ResourceType", *tags[0].ResourceType, "auto-scaling-group")

	must(w.DeleteTags(w.ctx, &autoscaling.DeleteTagsInput{
		Tags: []types.Tag{{ResourceId: new("g"), Key: new("n")}, {ResourceId: new("g"), Key: new("none")}},
	}))(t)
	tags = describe(filter("auto-scaling-group", "g"), filter("key", "n", "all"))
	check(t, "number of tags after deletion", len(tags), 1)
}
