package autoscaling_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

func TestDescribeGroupsFiltersByTagAndPages(t *testing.T) {
	w := newWorld(t)
	for n := range 5 {
		in := w.groupOfThree()
		in.AutoScalingGroupName, in.Tags = new(fmt.Sprintf("g%d", n)), []types.Tag{
			{Key: new("n"), Value: new(fmt.Sprint(n % 2))}, {Key: new("all"), Value: new("x")},
		}
		must(w.CreateAutoScalingGroup(w.ctx, in))(t)
	}
	find := func(filters ...types.Filter) (names []string) {
		t.Helper()
		in := &autoscaling.DescribeAutoScalingGroupsInput{Filters: filters, MaxRecords: new(int32(2))}
		for {
			out := must(w.DescribeAutoScalingGroups(w.ctx, in))(t)
			for _, g := range out.AutoScalingGroups {
				names = append(names, *g.AutoScalingGroupName)
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				return names
			}
		}
	}
	filter := func(name string, values ...string) types.Filter { return types.Filter{Name: &name, Values: values} }
	for want, got := range map[string][]string{
		"g0 g1 g2 g3 g4": find(), "g0 g2 g4": find(filter("tag:n", "0")),
		"g1 g3": find(filter("tag-key", "n"), filter("tag-value", "1")), "": find(filter("tag:all", "y")),
	} {
		if strings.Join(got, " ") != want {
			t.Errorf("%v, want %s", got, want)
		}
	}
	_, err := w.DescribeAutoScalingGroups(w.ctx, &autoscaling.DescribeAutoScalingGroupsInput{
		Filters: []types.Filter{filter("name", "g1")},
	})
	wantError(t, err, "ValidationError", "Filter type name is not correct")
	_, err = w.DescribeAutoScalingGroups(w.ctx, &autoscaling.DescribeAutoScalingGroupsInput{NextToken: new("x")})
	wantError(t, err, "InvalidNextToken", "The token 'x' is invalid.")
	must(w.CreateOrUpdateTags(w.ctx, &autoscaling.CreateOrUpdateTagsInput{
		Tags: []types.Tag{
			{
				ResourceId: new("g0"), ResourceType: new("auto-scaling-group"), Key: new("n"), Value: new("7"),
				PropagateAtLaunch: new(true),
			},
		},
	}))(t)
	tags := must(w.DescribeTags(w.ctx, &autoscaling.DescribeTagsInput{
		Filters: []types.Filter{filter("propagate-at-launch", "true")},
	}))(t).Tags
	if len(tags) != 1 || *tags[0].Value != "7" || *tags[0].ResourceId != "g0" ||
		*tags[0].ResourceType != "auto-scaling-group" {
		t.Errorf("%+v", tags)
	}
	must(w.DeleteTags(w.ctx, &autoscaling.DeleteTagsInput{
		Tags: []types.Tag{{ResourceId: new("g0"), Key: new("n")}, {ResourceId: new("g0"), Key: new("none")}},
	}))(t)
	if tags := must(w.DescribeTags(w.ctx, &autoscaling.DescribeTagsInput{
		Filters: []types.Filter{filter("auto-scaling-group", "g0"), filter("key", "n", "all")},
	}))(t).Tags; len(tags) != 1 {
		t.Errorf("%+v", tags)
	}
}
