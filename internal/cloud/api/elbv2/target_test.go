package elbv2_test

import (
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func (w *world) health(group types.TargetGroup, ids ...string) map[string]types.TargetHealth {
	w.t.Helper()
	out := map[string]types.TargetHealth{}
	for _, d := range must(w.DescribeTargetHealth(w.ctx, &elb.DescribeTargetHealthInput{
		TargetGroupArn: group.TargetGroupArn, Targets: targets(ids...),
	}))(w.t).TargetHealthDescriptions {
		out[*d.Target.Id] = *d.TargetHealth
	}
	return out
}

func TestTargetsStartInitialAndDrain(t *testing.T) {
	w := newWorld(t)
	_, g, _ := w.forwarding()
	w.register(g, "i-1", "i-2")
	if h := w.health(g)["i-1"]; h.State != "initial" || h.Reason != "Elb.RegistrationInProgress" {
		t.Errorf("after registering: %+v", h)
	}
	w.change(func(tx *store.Tx) {
		store.Targets.Edit(
			tx,
			*g.TargetGroupArn+"|i-1|3000",
			func(t *store.Target) { t.State, t.Reason, t.Description = "healthy", "", "" },
		)
	})
	w.register(g, "i-1", "i-2") // changes nothing
	if h := w.health(g)["i-1"]; h.State != "healthy" || h.Description != nil {
		t.Errorf("after registering again: %+v", h)
	}
	w.deregister(g, "i-1", "i-9")
	if h := w.health(g)["i-1"]; h.State != "draining" || h.Reason != "Target.DeregistrationInProgress" {
		t.Errorf("after deregistering: %+v", h)
	}
	w.register(g, "i-1", "i-2") // registers i-1 anew
	if h := w.health(g)["i-1"]; h.State != "initial" {
		t.Errorf("after registering anew: %+v", h)
	}
}

func TestTargetsOfUnusedGroupAreUnused(t *testing.T) {
	w := newWorld(t)
	g := w.group()
	w.register(g, "i-1")
	if h := w.health(g)["i-1"]; h.State != "unused" || h.Reason != "Target.NotInUse" {
		t.Errorf("target health = %+v", h)
	}
	w.deregister(g, "i-1")
	if all := w.health(g); len(all) != 0 {
		t.Errorf("targets after deregistering = %+v", all)
	}
}

func TestNamedTargetThatIsNotRegistered(t *testing.T) {
	w := newWorld(t)
	g := w.group()
	if all := w.health(g); len(all) != 0 {
		t.Errorf("targets = %+v, want none", all)
	}
	if h := w.health(g, "i-12345678901234567")["i-12345678901234567"]; h.State != "unused" ||
		h.Reason != "Target.NotRegistered" ||
		*h.Description != "Target is not registered to the target group" {
		t.Errorf("target health = %+v", h)
	}
	in := &elb.DescribeTargetHealthInput{TargetGroupArn: g.TargetGroupArn, Targets: targets("i-12345678901234567")}
	if d := must(w.DescribeTargetHealth(w.ctx, in))(t).TargetHealthDescriptions[0]; d.AdministrativeOverride != nil {
		t.Errorf("it has the override %+v", d.AdministrativeOverride)
	}
}

func TestTerminatedInstanceIsDescribedOnlyByName(t *testing.T) {
	w := newWorld(t)
	_, g, _ := w.forwarding()
	w.register(g, "i-1", "i-2")
	w.change(func(tx *store.Tx) {
		store.Instances.Edit(tx, "i-1", func(i *store.Instance) { i.State = store.Terminated })
		store.Targets.Edit(
			tx,
			*g.TargetGroupArn+"|i-1|3000",
			func(t *store.Target) { t.State, t.Reason = "draining", "Target.DeregistrationInProgress" },
		)
	})
	if all := w.health(g); len(all) != 1 {
		t.Errorf("targets = %+v, want only i-2", all)
	}
	if h := w.health(g, "i-1")["i-1"]; h.State != "draining" {
		t.Errorf("health of i-1 = %+v, want draining", h)
	}
}

func TestInvalidTargetsAreRefused(t *testing.T) {
	w := newWorld(t)
	g := w.group()
	in := webGroup()
	in.Name, in.TargetType = new("addresses"), types.TargetTypeEnumIp
	addresses := must(w.CreateTargetGroup(w.ctx, in))(t).TargetGroups[0]
	for _, c := range []struct {
		name       string
		group      types.TargetGroup
		target     types.TargetDescription
		code, text string
	}{
		{
			"stopped", g, types.TargetDescription{Id: new("i-4")}, "InvalidTarget",
			"The following targets are not in a running state and cannot be registered: 'i-4'",
		},
		{"unknown", g, types.TargetDescription{Id: new("i-0")}, "InvalidTarget", "'i-0'"},
		{"of another VPC", g, types.TargetDescription{Id: new("i-far")}, "InvalidTarget", "'i-far'"},
		{"port 0", g, types.TargetDescription{Id: new("i-1"), Port: new(int32(0))}, "ValidationError", "port"},
		{"no address", addresses, types.TargetDescription{Id: new("i-1")}, "ValidationError", "i-1"},
		{"a public address", addresses, types.TargetDescription{Id: new("8.8.8.8")}, "InvalidTarget", "8.8.8.8"},
		{"elsewhere without zone", addresses, types.TargetDescription{Id: new("10.7.0.1")}, "InvalidTarget", "all"},
		{"elsewhere", addresses, types.TargetDescription{Id: new("10.7.0.1"), AvailabilityZone: new("all")}, "", ""},
		{"inside", addresses, types.TargetDescription{Id: new("10.0.1.9")}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := w.RegisterTargets(w.ctx, &elb.RegisterTargetsInput{
				TargetGroupArn: c.group.TargetGroupArn,
				Targets:        []types.TargetDescription{c.target},
			})
			if c.code == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, c.code, c.text)
		})
	}
}

func TestInstanceMayBeTargetOnSeveralPorts(t *testing.T) {
	w := newWorld(t)
	_, g, _ := w.forwarding()
	must(w.RegisterTargets(
		w.ctx,
		&elb.RegisterTargetsInput{TargetGroupArn: g.TargetGroupArn, Targets: []types.TargetDescription{
			{Id: new("i-1")}, {Id: new("i-1"), Port: new(int32(3001))},
		}},
	))(t)
	all := must(
		w.DescribeTargetHealth(w.ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: g.TargetGroupArn}),
	)(t).TargetHealthDescriptions
	if len(all) != 2 || *all[0].HealthCheckPort != "3000" || *all[1].HealthCheckPort != "3001" {
		t.Errorf("targets = %+v", all)
	}
}
