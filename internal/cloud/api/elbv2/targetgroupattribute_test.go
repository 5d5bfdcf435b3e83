package elbv2_test

import (
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// setAttributes sets attributes of a target group, given as alternating keys and
// values.
func (w *world) setAttributes(group string, pairs ...string) error {
	in := &elb.ModifyTargetGroupAttributesInput{TargetGroupArn: &group}
	for i := 0; i < len(pairs); i += 2 {
		in.Attributes = append(in.Attributes, types.TargetGroupAttribute{Key: &pairs[i], Value: &pairs[i+1]})
	}
	_, err := w.ModifyTargetGroupAttributes(w.ctx, in)
	return err
}

func TestTargetGroupAttributeConflicts(t *testing.T) {
	const (
		algorithm = "load_balancing.algorithm.type"
		slow      = "slow_start.duration_seconds"
		sticky    = "stickiness.enabled"
		kind      = "stickiness.type"
		name      = "stickiness.app_cookie.cookie_name"
		zone      = "load_balancing.cross_zone.enabled"
		failover  = "target_group_health.dns_failover.minimum_healthy_targets."
		failOpen  = "target_group_health.unhealthy_state_routing.minimum_healthy_targets."
		invalid   = "ValidationError"
		conflict  = "InvalidConfigurationRequest"
	)
	for _, c := range []struct {
		code, text string
		pairs      []string
	}{
		{"", "", []string{sticky, "true"}},
		{"", "", []string{sticky, "true", kind, "app_cookie", name, "SID"}},
		{"", "", []string{slow, "30"}},
		{"", "", []string{algorithm, "least_outstanding_requests"}},
		{"", "", []string{algorithm, "weighted_random", sticky, "true"}},
		{"", "", []string{zone, "false"}},
		{"", "", []string{failover + "count", "3", failOpen + "count", "2"}},
		{"", "", []string{failover + "count", "off", failOpen + "count", "2"}},
		{"", "", []string{failover + "percentage", "50", failOpen + "percentage", "50"}},
		{
			conflict, "You cannot enable both slow start and weighted random algorithm on a target group",
			[]string{slow, "30", algorithm, "weighted_random"},
		},
		{
			conflict, "You cannot enable both slow start and least outstanding requests algorithm on a target group",
			[]string{slow, "30", algorithm, "least_outstanding_requests"},
		},
		{conflict, "cross-zone load balancing is off", []string{sticky, "true", zone, "false"}},
		{conflict, "cookie name", []string{sticky, "true", kind, "app_cookie"}},
		{conflict, "threshold", []string{failOpen + "count", "2"}},
		{conflict, "threshold", []string{failover + "percentage", "20", failOpen + "percentage", "30"}},
		{"NotImplemented", "anomaly_mitigation", []string{"load_balancing.algorithm.anomaly_mitigation", "on"}},
		{invalid, slow, []string{slow, "29"}},
		{invalid, name, []string{name, "AWSALBmine"}},
		{invalid, name, []string{name, "a b"}},
		{invalid, "stickiness.lb_cookie", []string{"stickiness.lb_cookie.duration_seconds", "604801"}},
		{invalid, failOpen, []string{failOpen + "count", "off"}},
	} {
		w := newWorld(t)
		err := w.setAttributes(*w.group().TargetGroupArn, c.pairs...)
		if c.code == "" && err != nil {
			t.Errorf("%v: %v", c.pairs, err)
		} else if c.code != "" {
			wantError(t, err, c.code, c.text)
		}
	}
}

func TestTargetStickinessNeedsGroupStickiness(t *testing.T) {
	w := newWorld(t)
	_, one, l := w.forwarding()
	in := webGroup()
	in.Name = new("two")
	two := must(w.CreateTargetGroup(w.ctx, in))(t).TargetGroups[0]
	weighted := func(sticky *types.TargetGroupStickinessConfig) []types.Action {
		return []types.Action{{Type: types.ActionTypeEnumForward, ForwardConfig: &types.ForwardActionConfig{
			TargetGroups: []types.TargetGroupTuple{
				{TargetGroupArn: one.TargetGroupArn, Weight: new(int32(9))},
				{TargetGroupArn: two.TargetGroupArn, Weight: new(int32(0))},
			},
			TargetGroupStickinessConfig: sticky,
		}}}
	}
	create := newRule(l, 1)
	create.Actions = weighted(nil)
	r := must(w.CreateRule(w.ctx, create))(t).Rules[0]
	wantError(
		t,
		w.setAttributes(*one.TargetGroupArn, "stickiness.enabled", "true"),
		"InvalidConfigurationRequest",
		"This target group appears behind a rule with group stickiness disabled ("+*r.RuleArn+"). "+
			"You must enable group stickiness before enabling target stickiness",
	)
	for _, wrong := range []types.TargetGroupStickinessConfig{
		{Enabled: new(true)}, {Enabled: new(true), DurationSeconds: new(int32(0))},
		{Enabled: new(true), DurationSeconds: new(int32(604801))},
	} {
		_, err := w.ModifyRule(w.ctx, &elb.ModifyRuleInput{RuleArn: r.RuleArn, Actions: weighted(&wrong)})
		wantError(t, err, "ValidationError", "uration")
	}
	changed := must(w.ModifyRule(w.ctx, &elb.ModifyRuleInput{
		RuleArn: r.RuleArn,
		Actions: weighted(&types.TargetGroupStickinessConfig{Enabled: new(true), DurationSeconds: new(int32(60))}),
	}))(t).Rules[0]
	forward := changed.Actions[0].ForwardConfig
	if !*forward.TargetGroupStickinessConfig.Enabled || *forward.TargetGroupStickinessConfig.DurationSeconds != 60 ||
		*forward.TargetGroups[0].Weight != 9 ||
		*forward.TargetGroups[1].Weight != 0 ||
		changed.Actions[0].TargetGroupArn != nil {
		t.Errorf("forward action = %+v", forward)
	}
	if err := w.setAttributes(*one.TargetGroupArn, "stickiness.enabled", "true"); err != nil {
		t.Fatal(err)
	}
	_, err := w.ModifyRule(w.ctx, &elb.ModifyRuleInput{RuleArn: r.RuleArn, Actions: weighted(nil)})
	wantError(
		t,
		err,
		"InvalidConfigurationRequest",
		"You must enable group stickiness on a rule if you enabled target stickiness on one of its target groups",
	)
}

func TestTargetsInAllZonesNeedCrossZone(t *testing.T) {
	w := newWorld(t)
	in := webGroup()
	in.TargetType = types.TargetTypeEnumIp
	g := must(w.CreateTargetGroup(w.ctx, in))(t).TargetGroups[0]
	far := &elb.RegisterTargetsInput{
		TargetGroupArn: g.TargetGroupArn,
		Targets:        []types.TargetDescription{{Id: new("10.7.0.1"), AvailabilityZone: new("all")}},
	}
	must(w.RegisterTargets(w.ctx, far))(t)
	wantError(
		t,
		w.setAttributes(*g.TargetGroupArn, "load_balancing.cross_zone.enabled", "false"),
		"InvalidConfigurationRequest",
		"10.7.0.1",
	)
	must(w.DeregisterTargets(
		w.ctx,
		&elb.DeregisterTargetsInput{TargetGroupArn: far.TargetGroupArn, Targets: far.Targets},
	))(t)
	if err := w.setAttributes(*g.TargetGroupArn, "load_balancing.cross_zone.enabled", "false"); err != nil {
		t.Fatal(err)
	}
	_, err := w.RegisterTargets(w.ctx, far)
	wantError(t, err, "InvalidTarget", "cross-zone")
}
