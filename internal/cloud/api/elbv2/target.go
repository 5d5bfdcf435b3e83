package elbv2

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// readTargets validates the targets of a request to register or deregister them,
// and gives those without a port the target group's.
func readTargets(group *store.TargetGroup, given []types.TargetDescription) ([]*store.Target, error) {
	if len(given) == 0 {
		return nil, model.Null("targets")
	}
	var out []*store.Target
	for _, t := range given {
		if err := model.Required("targets.member.id", t.Id != nil); err != nil {
			return nil, err
		}
		if err := model.Between("targets.member.port", t.Port, 1, 65535); err != nil {
			return nil, err
		}
		if t.QuicServerId != nil {
			return nil, wire.NotImplemented("QUIC targets")
		}
		if t.AvailabilityZone != nil && group.TargetType != string(types.TargetTypeEnumIp) {
			return nil, invalid("You cannot specify an Availability Zone for targets of type '%s'", group.TargetType)
		}
		out = append(out, &store.Target{
			TargetGroupARN: group.ARN,
			Region:         group.Region,
			ID:             *t.Id,
			Port:           constraint.Default(t.Port, group.Port),
			Zone:           aws.ToString(t.AvailabilityZone),
		})
	}
	return out, nil
}

// RegisterTargets adds targets to a target group. Targets already registered are
// left alone; draining ones are registered anew.
func (a *API) RegisterTargets(ctx context.Context, in *elb.RegisterTargetsInput) (*elb.RegisterTargetsOutput, error) {
	return &elb.RegisterTargetsOutput{}, a.store.Update(func(tx *store.Tx) error {
		group, err := targetGroup(tx, wire.RegionFrom(ctx), in.TargetGroupArn)
		if err != nil {
			return err
		}
		targets, err := readTargets(group, in.Targets)
		if err != nil {
			return err
		}
		resolve := resolveInstances
		switch group.TargetType {
		case string(types.TargetTypeEnumIp):
			resolve = resolveAddresses
		case alb:
			resolve = resolveLoadBalancers
		}
		if err := resolve(tx, group, targets); err != nil {
			return err
		}
		used := len(loadBalancersOf(tx, group)) > 0
		for _, t := range targets {
			if old, ok := store.Targets.Get(tx, t.Key()); ok && old.DeregisteredAt.IsZero() {
				continue
			}
			t.Registered = a.now().UTC()
			t.State, t.Reason, t.Description = initialHealth()
			if !used {
				t.State, t.Reason, t.Description = notInUseHealth()
			}
			store.Targets.Put(tx, t)
		}
		return a.limitTargets(tx, group)
	})
}

const unknownInstances = "The following targets are not valid instances: "

// resolveInstances sets the zones of instance targets, and refuses instances that
// cannot be registered.
func resolveInstances(r store.Reader, group *store.TargetGroup, targets []*store.Target) error {
	var unknown, otherVPC, notRunning []string
	for _, t := range targets {
		i, ok := store.Instances.Get(r, t.ID)
		switch {
		case !ok || i.Region != group.Region:
			unknown = append(unknown, "'"+t.ID+"'")
			continue
		case i.VPCID != group.VPCID:
			otherVPC = append(otherVPC, "'"+t.ID+"'")
		case i.State != store.Running:
			notRunning = append(notRunning, "'"+t.ID+"'")
		}
		t.Zone = i.Zone
	}
	for _, refused := range []struct {
		ids  []string
		text string
	}{
		{unknown, unknownInstances},
		{otherVPC, outsideVPC(group)},
		{notRunning, "The following targets are not in a running state and cannot be registered: "},
	} {
		if len(refused.ids) > 0 {
			return wire.Errorf("InvalidTarget", "%s%s", refused.text, strings.Join(refused.ids, ", "))
		}
	}
	return checkPrimaryIPv6(r, group, targets)
}

func outsideVPC(group *store.TargetGroup) string {
	return "The following targets are not in the target group VPC '" + group.VPCID + "': "
}

// registrableRanges are the ranges of IP addresses outside the VPC that may be
// registered (Elastic Load Balancing API Reference, CreateTargetGroup).
var registrableRanges = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("100.64.0.0/10"),
}

// resolveAddresses sets the zones of IP address targets, and refuses addresses
// that cannot be registered.
func resolveAddresses(r store.Reader, group *store.TargetGroup, targets []*store.Target) error {
	vpc, ok := store.VPCs.Get(r, group.VPCID)
	if !ok {
		return wire.Errorf(
			"InvalidConfigurationRequest", "The VPC '%s' of the target group does not exist", group.VPCID,
		)
	}
	for _, t := range targets {
		addr, err := parseTarget(group, t.ID)
		contains := func(block netip.Prefix) bool { return block.Contains(addr) }
		switch {
		case err != nil:
			return err
		case vpc.Contains(addr) || slices.ContainsFunc(vpc.IPv6Blocks(), contains):
			if t.Zone == "all" {
				return wire.Errorf(
					"InvalidTarget",
					"You cannot specify the Availability Zone 'all' for the IP address '%s', which is in the "+
						"VPC of the target group",
					t.ID,
				)
			}
			t.Zone = zoneOf(r, vpc, addr)
		case !slices.ContainsFunc(registrableRanges, contains):
			return wire.Errorf(
				"InvalidTarget", "The IP address '%s' is not within a range that can be registered", t.ID,
			)
		case t.Zone == "all" && group.Attributes[crossZoneKey] == "false":
			return wire.Errorf(
				"InvalidTarget",
				"You cannot register the IP address '%s' for the Availability Zone 'all' when cross-zone load "+
					"balancing is off",
				t.ID,
			)
		case t.Zone != "all":
			return wire.Errorf(
				"InvalidTarget",
				"The Availability Zone 'all' must be specified for the IP address '%s', which is outside the "+
					"VPC of the target group",
				t.ID,
			)
		}
	}
	return nil
}

func zoneOf(r store.Reader, vpc *store.VPC, addr netip.Addr) string {
	for _, s := range store.SubnetsByVPC.List(r, vpc.ID) {
		if s.CIDR.Contains(addr) || s.IPv6.CIDR.Contains(addr) {
			return s.Zone
		}
	}
	return ""
}

// DeregisterTargets starts the draining of targets, or removes them at once if no
// load balancer uses the target group. Targets that are not registered are
// ignored.
func (a *API) DeregisterTargets(
	ctx context.Context, in *elb.DeregisterTargetsInput,
) (*elb.DeregisterTargetsOutput, error) {
	return &elb.DeregisterTargetsOutput{}, a.store.Update(func(tx *store.Tx) error {
		group, err := targetGroup(tx, wire.RegionFrom(ctx), in.TargetGroupArn)
		if err != nil {
			return err
		}
		targets, err := readTargets(group, in.Targets)
		if err != nil {
			return err
		}
		used := len(loadBalancersOf(tx, group)) > 0
		for _, t := range targets {
			if !used {
				store.Targets.Delete(tx, t.Key())
				continue
			}
			store.Targets.Edit(tx, t.Key(), func(t *store.Target) {
				if t.DeregisteredAt.IsZero() {
					t.DeregisteredAt = a.now().UTC()
					t.State, t.Reason, t.Description = drainingHealth()
				}
			})
		}
		return nil
	})
}
