package elbv2_test

import (
	"strings"
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func TestAddAndRemoveTags(t *testing.T) {
	w := newWorld(t)
	lb, group, listener := w.forwarding()
	arns := []string{*lb.LoadBalancerArn, *group.TargetGroupArn, *listener.ListenerArn}
	must(w.AddTags(w.ctx, &elb.AddTagsInput{
		ResourceArns: arns,
		Tags:         []types.Tag{{Key: new("a"), Value: new("1")}, {Key: new("b"), Value: new("2")}},
	}))(t)
	must(w.RemoveTags(w.ctx, &elb.RemoveTagsInput{ResourceArns: arns, TagKeys: []string{"a", "x"}}))(t)
	for i, d := range must(w.DescribeTags(w.ctx, &elb.DescribeTagsInput{ResourceArns: arns}))(t).TagDescriptions {
		if *d.ResourceArn != arns[i] || len(d.Tags) != 1 || *d.Tags[0].Key != "b" || *d.Tags[0].Value != "2" {
			t.Errorf("tags = %+v", d)
		}
	}
	_, err := w.AddTags(w.ctx, &elb.AddTagsInput{
		ResourceArns: []string{strings.Replace(arns[0], "/web/", "/gone/", 1)},
		Tags:         []types.Tag{{Key: new("a")}},
	})
	wantError(t, err, "LoadBalancerNotFound", "gone")
}

func TestRuleTags(t *testing.T) {
	w := newWorld(t)
	_, _, l := w.forwarding()
	in := newRule(l, 1)
	in.Tags = []types.Tag{{Key: new("a"), Value: new("1")}}
	r := must(w.CreateRule(w.ctx, in))(t).Rules[0]
	must(w.AddTags(
		w.ctx,
		&elb.AddTagsInput{ResourceArns: []string{*r.RuleArn}, Tags: []types.Tag{{Key: new("b"), Value: new("2")}}},
	))(t)
	must(w.RemoveTags(w.ctx, &elb.RemoveTagsInput{ResourceArns: []string{*r.RuleArn}, TagKeys: []string{"a"}}))(t)
	tags := must(w.DescribeTags(w.ctx, &elb.DescribeTagsInput{
		ResourceArns: []string{*r.RuleArn},
	}))(t).TagDescriptions[0].Tags
	if len(tags) != 1 || *tags[0].Key != "b" {
		t.Errorf("tags = %+v", tags)
	}
	_, err := w.DescribeTags(w.ctx, &elb.DescribeTagsInput{ResourceArns: []string{*r.RuleArn + "0"}})
	wantError(t, err, "RuleNotFound", "One or more rules not found")
}
