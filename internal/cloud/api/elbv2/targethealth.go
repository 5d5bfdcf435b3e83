package elbv2

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
)

// DescribeTargetHealth tells the health of a group's targets, or of those
// named: such that are not registered are told so. A terminated instance is in
// no list any more; asked for by name, it is draining.
func (a *API) DescribeTargetHealth(ctx context.Context, in *elb.DescribeTargetHealthInput) (*elb.DescribeTargetHealthOutput, error) {
	view := a.store.View()
	group, err := targetGroup(view, region(ctx), in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	rows := store.Targets.By(view, "target_group", group.ARN)
	out := &elb.DescribeTargetHealthOutput{TargetHealthDescriptions: []types.TargetHealthDescription{}}
	add := func(t *store.Target) {
		out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, describeHealth(group, t, in.Include))
	}
	if len(in.Targets) == 0 {
		for _, t := range rows {
			if !isTerminated(view, t) {
				add(t)
			}
		}
		return out, nil
	}
	for _, asked := range in.Targets {
		if err := model.Required("targets.member.id", asked.Id != nil); err != nil {
			return nil, err
		}
		found := false
		for _, t := range rows {
			if t.ID == *asked.Id && (asked.Port == nil || t.Port == *asked.Port) {
				add(t)
				found = true
			}
		}
		if !found {
			add(&store.Target{
				ID: *asked.Id, Port: constraint.Default(asked.Port, group.Port), Zone: aws.ToString(asked.AvailabilityZone),
				State: string(types.TargetHealthStateEnumUnused),
				Reason: string(
					types.TargetHealthReasonEnumNotRegistered,
				), Description: "Target is not registered to the target group",
			})
		}
	}
	slices.SortStableFunc(out.TargetHealthDescriptions, func(x, y types.TargetHealthDescription) int {
		return cmp.Or(cmp.Compare(*x.Target.Id, *y.Target.Id), cmp.Compare(*x.Target.Port, *y.Target.Port))
	})
	return out, nil
}

func isTerminated(r store.Reader, t *store.Target) bool {
	i, ok := store.Instances.Get(r, t.ID)
	return ok && i.State == store.Terminated
}

func describeHealth(
	group *store.TargetGroup,
	t *store.Target,
	include []types.DescribeTargetHealthInputIncludeEnum,
) types.TargetHealthDescription {
	port := group.HealthCheck.Port
	if port == trafficPort {
		port = strconv.Itoa(int(t.Port))
	}
	out := types.TargetHealthDescription{
		Target:          &types.TargetDescription{Id: new(t.ID), Port: new(t.Port)},
		HealthCheckPort: new(port),
		TargetHealth: &types.TargetHealth{
			State:  types.TargetHealthStateEnum(t.State),
			Reason: types.TargetHealthReasonEnum(t.Reason),
		},
		AdministrativeOverride: &types.AdministrativeOverride{
			State:       types.TargetAdministrativeOverrideStateEnumNoOverride,
			Reason:      types.TargetAdministrativeOverrideReasonEnumNoOverrideEngaged,
			Description: new("No override is currently active on target"),
		},
	}
	if t.Description != "" {
		out.TargetHealth.Description = new(t.Description)
	}
	if group.TargetType == string(types.TargetTypeEnumIp) && t.Zone != "" {
		out.Target.AvailabilityZone = new(t.Zone)
	}
	if len(include) > 0 {
		out.AnomalyDetection = &types.AnomalyDetection{
			Result:             types.AnomalyResultEnumNormal,
			MitigationInEffect: types.MitigationInEffectEnumNo,
		}
	}
	return out
}
