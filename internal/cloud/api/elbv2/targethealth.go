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
	"aloft.dev/aloft/internal/cloud/wire"
)

// DescribeTargetHealth describes the health of a target group's targets or of the
// named ones. A named target that is not registered is unused. A terminated
// instance is described only if it is named, and is draining.
func (a *API) DescribeTargetHealth(
	ctx context.Context, in *elb.DescribeTargetHealthInput,
) (*elb.DescribeTargetHealthOutput, error) {
	view := a.store.Read(ctx)
	group, err := targetGroup(view, wire.RegionFrom(ctx), in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	rows := store.TargetsByTargetGroup.List(view, group.ARN)
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
	for _, named := range in.Targets {
		if err := model.Required("targets.member.id", named.Id != nil); err != nil {
			return nil, err
		}
		found := false
		for _, t := range rows {
			if t.ID == *named.Id && (named.Port == nil || t.Port == *named.Port) {
				add(t)
				found = true
			}
		}
		if !found {
			unregistered := &store.Target{
				ID:   *named.Id,
				Port: constraint.Default(named.Port, group.Port),
				Zone: aws.ToString(named.AvailabilityZone),
			}
			unregistered.State, unregistered.Reason, unregistered.Description = notRegisteredHealth()
			described := describeHealth(group, unregistered, nil)
			described.AdministrativeOverride = nil // only those that are registered have one
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, described)
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

// The functions below return a target's health in AWS's words.

func initialHealth() (state, reason, description string) {
	return string(types.TargetHealthStateEnumInitial),
		string(types.TargetHealthReasonEnumRegistrationInProgress),
		"Target registration is in progress"
}

func notInUseHealth() (state, reason, description string) {
	return string(types.TargetHealthStateEnumUnused),
		string(types.TargetHealthReasonEnumNotInUse),
		"Target group is not configured to receive traffic from the load balancer"
}

func notRegisteredHealth() (state, reason, description string) {
	return string(types.TargetHealthStateEnumUnused),
		string(types.TargetHealthReasonEnumNotRegistered),
		"Target is not registered to the target group"
}

func drainingHealth() (state, reason, description string) {
	return string(types.TargetHealthStateEnumDraining),
		string(types.TargetHealthReasonEnumDeregistrationInProgress),
		"Target deregistration is in progress"
}
