package elbv2

import (
	"cmp"
	"context"
	"maps"
	"slices"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// checkCreateTargetGroup refuses requests that are invalid regardless of stored
// resources.
func checkCreateTargetGroup(in *elb.CreateTargetGroupInput) error {
	if err := model.Required("name", in.Name != nil); err != nil {
		return err
	}
	if err := checkName("Target group", *in.Name); err != nil {
		return err
	}
	switch in.TargetType {
	case "", types.TargetTypeEnumInstance, types.TargetTypeEnumIp, types.TargetTypeEnumAlb:
	case types.TargetTypeEnumLambda:
		return wire.NotImplemented("target groups of type %s", in.TargetType)
	default:
		return model.OutOfSet("targetType", in.TargetType, "instance", "ip", "lambda", "alb")
	}
	if err := checkGroupProtocol(in); err != nil {
		return err
	}
	if in.Port == nil {
		return invalid("A port must be specified")
	}
	if err := model.Between("port", in.Port, 1, 65535); err != nil {
		return err
	}
	switch {
	case in.VpcId == nil:
		return invalid("A VPC ID must be specified")
	case in.TargetControlPort != nil:
		return wire.NotImplemented("target control ports")
	}
	return checkGroupIPAddressType(in)
}

func checkGroupProtocol(in *elb.CreateTargetGroupInput) error {
	switch protocol := in.Protocol; {
	case in.TargetType == types.TargetTypeEnumAlb && protocol != "" && protocol != types.ProtocolEnumTcp:
		return invalid("Protocol '%s' is not supported with the target type 'alb', only 'TCP'", protocol)
	case protocol == types.ProtocolEnumHttp, protocol == types.ProtocolEnumHttps:
		return checkProtocolVersion(in.ProtocolVersion)
	case transports[string(protocol)] != nil && in.ProtocolVersion != nil:
		return invalid("Protocol versions are not supported for target groups with the protocol %s", protocol)
	case transports[string(protocol)] != nil:
		return nil
	case protocol == "":
		return invalid("A protocol must be specified")
	case slices.Contains(protocol.Values(), protocol):
		return wire.NotImplemented("target groups with the protocol %s", protocol)
	}
	return wire.Errorf("UnsupportedProtocol", "The protocol '%s' is not supported", in.Protocol)
}

func checkProtocolVersion(given *string) error {
	switch version := constraint.Default(given, "HTTP1"); version {
	case "HTTP1", "HTTP2", grpc:
		return nil
	default:
		return invalid("Protocol version '%s' must be one of 'GRPC, HTTP1, HTTP2'", version)
	}
}

// CreateTargetGroup creates a target group. Repeating a request returns the
// target group that the first one created.
func (a *API) CreateTargetGroup(
	ctx context.Context, in *elb.CreateTargetGroupInput,
) (*elb.CreateTargetGroupOutput, error) {
	if err := checkCreateTargetGroup(in); err != nil {
		return nil, err
	}
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	group := &store.TargetGroup{
		Region:        wire.RegionFrom(ctx),
		Name:          *in.Name,
		Protocol:      string(in.Protocol),
		Port:          *in.Port,
		VPCID:         *in.VpcId,
		TargetType:    string(types.TargetTypeEnumInstance),
		IPAddressType: string(cmp.Or(in.IpAddressType, types.TargetGroupIpAddressTypeEnumIpv4)),
		Tags:          tags,
	}
	if !group.IsNetwork() {
		group.ProtocolVersion = constraint.Default(in.ProtocolVersion, "HTTP1")
	}
	if in.TargetType != "" {
		group.TargetType = string(in.TargetType)
	}
	if group.HealthCheck, err = defaultHealthCheck(group).modified(group, healthCheckInput{
		enabled:   in.HealthCheckEnabled,
		protocol:  in.HealthCheckProtocol,
		port:      in.HealthCheckPort,
		path:      in.HealthCheckPath,
		interval:  in.HealthCheckIntervalSeconds,
		timeout:   in.HealthCheckTimeoutSeconds,
		healthy:   in.HealthyThresholdCount,
		unhealthy: in.UnhealthyThresholdCount,
		matcher:   in.Matcher,
	}); err != nil {
		return nil, err
	}
	return update(a, func(tx *store.Tx) (*elb.CreateTargetGroupOutput, error) {
		if vpc, ok := store.VPCs.Get(tx, group.VPCID); !ok || vpc.Region != group.Region {
			return nil, vpcNotFound(group.VPCID)
		}
		for _, old := range store.TargetGroups.InRegion(tx, group.Region) {
			if old.Name != group.Name {
				continue
			}
			if !sameTargetGroup(old, group) {
				return nil, wire.Errorf(
					"DuplicateTargetGroupName",
					"A target group with the same name '%s' already exists, but with different settings",
					group.Name,
				)
			}
			return &elb.CreateTargetGroupOutput{TargetGroups: []types.TargetGroup{describeTargetGroup(tx, old)}}, nil
		}
		if err := a.limitTargetGroups(tx, group.Region); err != nil {
			return nil, err
		}
		group.ARN = arn(group.Region, "targetgroup/"+group.Name+"/"+a.ids.Hex(16))
		group.Attributes = targetGroupAttributesOf(group).defaults()
		store.TargetGroups.Put(tx, group)
		return &elb.CreateTargetGroupOutput{TargetGroups: []types.TargetGroup{describeTargetGroup(tx, group)}}, nil
	})
}

func sameTargetGroup(a, b *store.TargetGroup) bool {
	return a.Protocol == b.Protocol && a.ProtocolVersion == b.ProtocolVersion && a.Port == b.Port &&
		a.VPCID == b.VPCID && a.TargetType == b.TargetType && a.HealthCheck == b.HealthCheck &&
		a.IPAddressType == b.IPAddressType && maps.Equal(a.Tags, b.Tags)
}

func describeTargetGroup(r store.Reader, group *store.TargetGroup) types.TargetGroup {
	check := group.HealthCheck
	out := types.TargetGroup{
		TargetGroupArn:             new(group.ARN),
		TargetGroupName:            new(group.Name),
		Protocol:                   types.ProtocolEnum(group.Protocol),
		Port:                       new(group.Port),
		VpcId:                      new(group.VPCID),
		TargetType:                 types.TargetTypeEnum(group.TargetType),
		IpAddressType:              types.TargetGroupIpAddressTypeEnum(group.IPAddressType),
		HealthCheckEnabled:         new(check.Enabled),
		HealthCheckProtocol:        types.ProtocolEnum(check.Protocol),
		HealthCheckPort:            new(check.Port),
		HealthCheckIntervalSeconds: new(check.Interval),
		HealthCheckTimeoutSeconds:  new(check.Timeout),
		HealthyThresholdCount:      new(check.Healthy),
		UnhealthyThresholdCount:    new(check.Unhealthy),
		LoadBalancerArns:           loadBalancersOf(r, group),
	}
	if group.ProtocolVersion != "" {
		out.ProtocolVersion = new(group.ProtocolVersion)
	}
	if check.Protocol != string(types.ProtocolEnumTcp) {
		out.HealthCheckPath, out.Matcher = new(check.Path), &types.Matcher{HttpCode: new(check.Matcher)}
		if group.ProtocolVersion == grpc {
			out.Matcher = &types.Matcher{GrpcCode: new(check.Matcher)}
		}
	}
	if out.LoadBalancerArns == nil {
		out.LoadBalancerArns = []string{}
	}
	return out
}

// DescribeTargetGroups describes the target groups of the Region or of one load
// balancer.
func (a *API) DescribeTargetGroups(
	ctx context.Context, in *elb.DescribeTargetGroupsInput,
) (*elb.DescribeTargetGroupsOutput, error) {
	view := a.store.Read(ctx)
	rows := store.TargetGroups.InRegion(view, wire.RegionFrom(ctx))
	if in.LoadBalancerArn != nil {
		lb, err := loadBalancer(view, wire.RegionFrom(ctx), in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		rows = slices.DeleteFunc(rows, func(g *store.TargetGroup) bool {
			return !slices.Contains(loadBalancersOf(view, g), lb.ARN)
		})
	}
	arnOf := func(g *store.TargetGroup) string { return g.ARN }
	nameOf := func(g *store.TargetGroup) string { return g.Name }
	rows, missing := selected(rows, in.TargetGroupArns, in.Names, arnOf, nameOf)
	if len(missing) > 0 {
		return nil, targetGroupNotFound()
	}
	rows, next, err := paginate(rows, arnOf, in.PageSize, in.Marker)
	if err != nil {
		return nil, err
	}
	out := &elb.DescribeTargetGroupsOutput{TargetGroups: []types.TargetGroup{}, NextMarker: next}
	for _, g := range rows {
		out.TargetGroups = append(out.TargetGroups, describeTargetGroup(view, g))
	}
	return out, nil
}

// ModifyTargetGroup changes a target group's health check.
func (a *API) ModifyTargetGroup(
	ctx context.Context, in *elb.ModifyTargetGroupInput,
) (*elb.ModifyTargetGroupOutput, error) {
	return update(a, func(tx *store.Tx) (*elb.ModifyTargetGroupOutput, error) {
		group, err := targetGroup(tx, wire.RegionFrom(ctx), in.TargetGroupArn)
		if err != nil {
			return nil, err
		}
		check, err := healthCheckOf(group).modified(group, healthCheckInput{
			enabled:   in.HealthCheckEnabled,
			protocol:  in.HealthCheckProtocol,
			port:      in.HealthCheckPort,
			path:      in.HealthCheckPath,
			interval:  in.HealthCheckIntervalSeconds,
			timeout:   in.HealthCheckTimeoutSeconds,
			healthy:   in.HealthyThresholdCount,
			unhealthy: in.UnhealthyThresholdCount,
			matcher:   in.Matcher,
		})
		if err != nil {
			return nil, err
		}
		changed := *group
		changed.HealthCheck = check
		store.TargetGroups.Put(tx, &changed)
		return &elb.ModifyTargetGroupOutput{TargetGroups: []types.TargetGroup{describeTargetGroup(tx, &changed)}}, nil
	})
}

// DeleteTargetGroup deletes a target group that no listener or rule uses.
// Deleting one that does not exist succeeds.
func (a *API) DeleteTargetGroup(
	ctx context.Context, in *elb.DeleteTargetGroupInput,
) (*elb.DeleteTargetGroupOutput, error) {
	if err := checkARN(in.TargetGroupArn, "targetGroupArn", "targetgroup", "target group"); err != nil {
		return nil, err
	}
	return &elb.DeleteTargetGroupOutput{}, a.store.Update(func(tx *store.Tx) error {
		group, ok := store.TargetGroups.Get(tx, *in.TargetGroupArn)
		if !ok || group.Region != wire.RegionFrom(ctx) {
			return nil
		}
		if len(loadBalancersOf(tx, group)) > 0 {
			return wire.Errorf(
				"ResourceInUse", "Target group '%s' is currently in use by a listener or a rule", group.ARN,
			)
		}
		for _, t := range store.TargetsByTargetGroup.List(tx, group.ARN) {
			store.Targets.Delete(tx, t.Key())
		}
		store.TargetGroups.Delete(tx, group.ARN)
		return nil
	})
}
