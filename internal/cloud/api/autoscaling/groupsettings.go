package autoscaling

import (
	"cmp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// groupSettings are the parameters that creating and updating a group share: how
// the group works, not its sizes, launch source and subnets. A setting that is nil
// or an empty list is not changed.
type groupSettings struct {
	defaultCooldown, defaultWarmup, healthCheckGrace *int32 // seconds
	maxInstanceLifetime                              *int32 // seconds
	healthCheckType, serviceLinkedRoleARN            *string
	placementGroup                                   *string // name; empty: none
	terminationPolicies                              []string
	protectNewInstances, capacityRebalance           *bool
	distribution                                     *types.AvailabilityZoneDistribution
	impairment                                       *types.AvailabilityZoneImpairmentPolicy
	maintenance                                      *types.InstanceMaintenancePolicy
	deletionProtection                               types.DeletionProtection
}

func createSettings(in *autoscaling.CreateAutoScalingGroupInput) groupSettings {
	return groupSettings{
		in.DefaultCooldown, in.DefaultInstanceWarmup, in.HealthCheckGracePeriod, in.MaxInstanceLifetime,
		in.HealthCheckType, in.ServiceLinkedRoleARN, in.PlacementGroup, in.TerminationPolicies,
		in.NewInstancesProtectedFromScaleIn, in.CapacityRebalance, in.AvailabilityZoneDistribution,
		in.AvailabilityZoneImpairmentPolicy, in.InstanceMaintenancePolicy, in.DeletionProtection,
	}
}

func updateSettings(in *autoscaling.UpdateAutoScalingGroupInput) groupSettings {
	return groupSettings{
		in.DefaultCooldown, in.DefaultInstanceWarmup, in.HealthCheckGracePeriod, in.MaxInstanceLifetime,
		in.HealthCheckType, in.ServiceLinkedRoleARN, in.PlacementGroup, in.TerminationPolicies,
		in.NewInstancesProtectedFromScaleIn, in.CapacityRebalance, in.AvailabilityZoneDistribution,
		in.AvailabilityZoneImpairmentPolicy, in.InstanceMaintenancePolicy, in.DeletionProtection,
	}
}

// apply checks the settings and writes them into the group. On an error the group
// must not be stored: some settings may have been written.
func (s groupSettings) apply(g *store.ScalingGroup) error {
	setIfGiven(&g.DefaultCooldown, s.defaultCooldown)
	setIfGiven(&g.HealthCheckGrace, s.healthCheckGrace)
	setIfGiven(&g.MaxInstanceLifetime, s.maxInstanceLifetime)
	setIfGiven(&g.ServiceLinkedRoleARN, s.serviceLinkedRoleARN)
	setIfGiven(&g.PlacementGroup, s.placementGroup)
	setIfGiven(&g.ProtectNewInstances, s.protectNewInstances)
	setIfGiven(&g.CapacityRebalance, s.capacityRebalance)
	switch {
	case s.defaultWarmup == nil:
	case *s.defaultWarmup == -1:
		g.DefaultWarmup = nil
	default:
		g.DefaultWarmup = s.defaultWarmup
	}
	if s.deletionProtection != "" {
		g.DeletionProtection = string(s.deletionProtection)
	}
	if len(s.terminationPolicies) > 0 {
		g.TerminationPolicies = s.terminationPolicies
	}
	return cmp.Or(
		model.Between("defaultCooldown", s.defaultCooldown, 0, maxSeconds),
		model.Between("defaultInstanceWarmup", s.defaultWarmup, -1, maxSeconds),
		model.Between("healthCheckGracePeriod", s.healthCheckGrace, 0, maxSeconds),
		s.checkMaxInstanceLifetime(),
		checkTerminationPolicies(s.terminationPolicies),
		s.checkDeletionProtection(),
		s.applyHealthCheckType(g),
		s.applyDistribution(g),
		s.applyImpairment(g),
		s.applyMaintenance(g),
	)
}

func (s groupSettings) checkMaxInstanceLifetime() error {
	if n := aws.ToInt32(s.maxInstanceLifetime); n != 0 && (n < minLifetime || n > maxLifetime) {
		return invalid("Invalid MaxInstanceLifetime: %d. The value must be 0 or between %d and %d seconds",
			n, minLifetime, maxLifetime)
	}
	return nil
}

func (s groupSettings) checkDeletionProtection() error {
	if p := s.deletionProtection; p != "" && !slices.Contains(p.Values(), p) {
		return model.OutOfSet("deletionProtection", p, "none", "prevent-force-deletion", "prevent-all-deletion")
	}
	return nil
}

// applyHealthCheckType applies a comma-separated list of health check types. EC2's
// health checks count even if the list lacks them.
func (s groupSettings) applyHealthCheckType(g *store.ScalingGroup) error {
	if s.healthCheckType == nil {
		return nil
	}
	var kinds []string
	for kind := range strings.SplitSeq(*s.healthCheckType, ",") {
		switch kind = strings.TrimSpace(kind); kind {
		case "EC2", "ELB":
			kinds = append(kinds, kind)
		case "EBS", "VPC_LATTICE":
			return wire.NotImplemented("health checks of the type %s", kind)
		default:
			return invalid("%s is not a valid health check type", kind)
		}
	}
	g.HealthCheckType = strings.Join(kinds, ",")
	return nil
}

func (s groupSettings) applyDistribution(g *store.ScalingGroup) error {
	if s.distribution == nil || s.distribution.CapacityDistributionStrategy == "" {
		return nil
	}
	switch d := s.distribution.CapacityDistributionStrategy; d {
	case types.CapacityDistributionStrategyBalancedBestEffort, types.CapacityDistributionStrategyBalancedOnly:
		g.Distribution = string(d)
	case types.CapacityDistributionStrategyReservationsThenBalanced:
		return wire.NotImplemented("capacity reservations (%s)", d)
	default:
		return model.OutOfSet(
			"availabilityZoneDistribution.capacityDistributionStrategy", d,
			"balanced-only", "balanced-best-effort", "reservations-then-balanced",
		)
	}
	return nil
}

func (s groupSettings) applyImpairment(g *store.ScalingGroup) error {
	if s.impairment == nil {
		return nil
	}
	behavior := s.impairment.ImpairedZoneHealthCheckBehavior
	enabled := constraint.Default(s.impairment.ZonalShiftEnabled, g.ZonalShift)
	switch {
	case behavior != "" && !slices.Contains(behavior.Values(), behavior):
		return model.OutOfSet(
			"availabilityZoneImpairmentPolicy.impairedZoneHealthCheckBehavior", behavior,
			"ReplaceUnhealthy", "IgnoreUnhealthy",
		)
	case enabled && behavior == "" && g.ImpairedHealthCheck == "":
		return invalid("ImpairedZoneHealthCheckBehavior must be specified when ZonalShiftEnabled is true")
	case !enabled && behavior != "":
		return invalid("ImpairedZoneHealthCheckBehavior can only be specified when ZonalShiftEnabled is true")
	}
	g.ZonalShift = enabled
	if behavior != "" || !enabled {
		g.ImpairedHealthCheck = string(behavior)
	}
	return nil
}

// applyMaintenance applies an instance maintenance policy. -1 in both percentages
// removes the group's policy (Amazon EC2 Auto Scaling API Reference,
// InstanceMaintenancePolicy).
func (s groupSettings) applyMaintenance(g *store.ScalingGroup) error {
	if s.maintenance == nil {
		return nil
	}
	low, high := s.maintenance.MinHealthyPercentage, s.maintenance.MaxHealthyPercentage
	if low == nil || high == nil {
		return invalid("Both MinHealthyPercentage and MaxHealthyPercentage must be specified in an instance " +
			"maintenance policy")
	}
	if *low == -1 && *high == -1 {
		g.MinHealthy, g.MaxHealthy = -1, -1
		return nil
	}
	if err := cmp.Or(
		model.Between("instanceMaintenancePolicy.minHealthyPercentage", low, 0, 100),
		model.Between("instanceMaintenancePolicy.maxHealthyPercentage", high, 100, 200),
	); err != nil {
		return err
	}
	if *high-*low > 100 {
		return invalid("The difference between MinHealthyPercentage and MaxHealthyPercentage cannot be greater " +
			"than 100")
	}
	g.MinHealthy, g.MaxHealthy = *low, *high
	return nil
}
