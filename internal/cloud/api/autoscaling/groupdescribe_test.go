//go:build linux

package autoscaling_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

func TestDescribeGroupsFiltersByTagAndPages(t *testing.T) {
	w := newWorld(t)
	for n := range 5 {
		in := w.groupOfThree()
		in.AutoScalingGroupName = new(fmt.Sprintf("g%d", n))
		in.Tags = []types.Tag{
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
	check(t, "all groups", find(), []string{"g0", "g1", "g2", "g3", "g4"})
	check(t, "groups with n=0", find(filter("tag:n", "0")), []string{"g0", "g2", "g4"})
	check(t, "groups with n and 1", find(filter("tag-key", "n"), filter("tag-value", "1")), []string{"g1", "g3"})
	check(t, "groups with all=y", find(filter("tag:all", "y")), nil)

	_, err := w.DescribeAutoScalingGroups(w.ctx, &autoscaling.DescribeAutoScalingGroupsInput{
		Filters: []types.Filter{filter("name", "g1")},
	})
	wantError(t, err, "ValidationError", "Filter type name is not correct")
	_, err = w.DescribeAutoScalingGroups(w.ctx, &autoscaling.DescribeAutoScalingGroupsInput{NextToken: new("x")})
	wantError(t, err, "InvalidNextToken", "The token 'x' is invalid.")
}

func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: &name, Values: values}
}
