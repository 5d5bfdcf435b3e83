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

// groupSettings are what creating and updating a group have in common: how it works,
// not how large it is or what it launches. What is nil or empty stays.
type groupSettings struct {
	cooldown, warmup, grace, lifetime *int32
	healthCheck, role                 *string
	policies                          []string
	protect, rebalance                *bool
	distribution                      *types.AvailabilityZoneDistribution
	impairment                        *types.AvailabilityZoneImpairmentPolicy
	maintenance                       *types.InstanceMaintenancePolicy
	deletion                          types.DeletionProtection
}

func createSettings(in *autoscaling.CreateAutoScalingGroupInput) groupSettings {
	return groupSettings{
		in.DefaultCooldown, in.DefaultInstanceWarmup, in.HealthCheckGracePeriod, in.MaxInstanceLifetime,
		in.HealthCheckType, in.ServiceLinkedRoleARN, in.TerminationPolicies,
		in.NewInstancesProtectedFromScaleIn, in.CapacityRebalance, in.AvailabilityZoneDistribution,
		in.AvailabilityZoneImpairmentPolicy, in.InstanceMaintenancePolicy, in.DeletionProtection,
	}
}

func updateSettings(in *autoscaling.UpdateAutoScalingGroupInput) groupSettings {
	return groupSettings{
		in.DefaultCooldown, in.DefaultInstanceWarmup, in.HealthCheckGracePeriod, in.MaxInstanceLifetime,
		in.HealthCheckType, in.ServiceLinkedRoleARN, in.TerminationPolicies,
		in.NewInstancesProtectedFromScaleIn, in.CapacityRebalance, in.AvailabilityZoneDistribution,
		in.AvailabilityZoneImpairmentPolicy, in.InstanceMaintenancePolicy, in.DeletionProtection,
	}
}

// apply writes the settings into the row, or says what is wrong with them.
func (s groupSettings) apply(g *store.ScalingGroup) error {
	setIfGiven(&g.DefaultCooldown, s.cooldown)
	setIfGiven(&g.HealthCheckGrace, s.grace)
	setIfGiven(&g.MaxInstanceLifetime, s.lifetime)
	setIfGiven(&g.ServiceLinkedRoleARN, s.role)
	setIfGiven(&g.ProtectNewInstances, s.protect)
	setIfGiven(&g.CapacityRebalance, s.rebalance)
	switch {
	case s.warmup == nil:
	case *s.warmup == -1:
		g.DefaultWarmup = nil
	default:
		g.DefaultWarmup = s.warmup
	}
	if s.deletion != "" {
		g.DeletionProtection = string(s.deletion)
	}
	if len(s.policies) > 0 {
		g.TerminationPolicies = s.policies
	}
	return cmp.Or(
		model.Between("defaultCooldown", s.cooldown, 0, maxSeconds),
		model.Between("defaultInstanceWarmup", s.warmup, -1, maxSeconds),
		model.Between("healthCheckGracePeriod", s.grace, 0, maxSeconds),
		s.checkLifetime(),
		s.checkPolicies(),
		s.checkDeletion(),
		s.applyHealthCheck(g),
		s.applyDistribution(g),
		s.applyImpairment(g),
		s.applyMaintenance(g),
	)
}

func (s groupSettings) checkLifetime() error {
	if n := aws.ToInt32(s.lifetime); n != 0 && (n < minLifetime || n > maxLifetime) {
		return invalid("Invalid MaxInstanceLifetime: %d. The value must be 0 or between %d and %d seconds",
			n, minLifetime, maxLifetime)
	}
	return nil
}

func (s groupSettings) checkPolicies() error {
	for _, p := range s.policies {
		switch {
		case strings.HasPrefix(p, "arn:"):
			return wire.NotImplemented("termination policies by AWS Lambda (%s)", p)
		case !slices.Contains(terminationPolicies, p):
			return invalid("Invalid termination policy: %s", p)
		}
	}
	return nil
}

func (s groupSettings) checkDeletion() error {
	if s.deletion != "" && !slices.Contains(s.deletion.Values(), s.deletion) {
		return model.OutOfSet(
			"deletionProtection", s.deletion, "none", "prevent-force-deletion", "prevent-all-deletion",
		)
	}
	return nil
}

// applyHealthCheck reads a list of health check types. EC2's is always heeded.
func (s groupSettings) applyHealthCheck(g *store.ScalingGroup) error {
	if s.healthCheck == nil {
		return nil
	}
	var kept []string
	for kind := range strings.SplitSeq(*s.healthCheck, ",") {
		switch kind = strings.TrimSpace(kind); kind {
		case "EC2", "ELB":
			kept = append(kept, kind)
		case "EBS", "VPC_LATTICE":
			return wire.NotImplemented("health checks of the type %s", kind)
		default:
			return invalid("%s is not a valid health check type", kind)
		}
	}
	g.HealthCheckType = strings.Join(kept, ",")
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
			"availabilityZoneDistribution.capacityDistributionStrategy",
			d,
			"balanced-only",
			"balanced-best-effort",
			"reservations-then-balanced",
		)
	}
	return nil
}

func (s groupSettings) applyImpairment(g *store.ScalingGroup) error {
	if s.impairment == nil {
		return nil
	}
	behavior := s.impairment.ImpairedZoneHealthCheckBehavior
	on := constraint.Default(s.impairment.ZonalShiftEnabled, g.ZonalShift)
	switch {
	case behavior != "" && !slices.Contains(behavior.Values(), behavior):
		return model.OutOfSet(
			"availabilityZoneImpairmentPolicy.impairedZoneHealthCheckBehavior",
			behavior,
			"ReplaceUnhealthy",
			"IgnoreUnhealthy",
		)
	case on && behavior == "" && g.ImpairedHealthCheck == "":
		return invalid("ImpairedZoneHealthCheckBehavior must be specified when ZonalShiftEnabled is true")
	case !on && behavior != "":
		return invalid("ImpairedZoneHealthCheckBehavior can only be specified when ZonalShiftEnabled is true")
	}
	g.ZonalShift = on
	if behavior != "" {
		g.ImpairedHealthCheck = string(behavior)
	}
	if !on {
		g.ImpairedHealthCheck = ""
	}
	return nil
}

// applyMaintenance reads an instance maintenance policy. Minus one in both
// removes it (Amazon EC2 Auto Scaling API Reference,
// InstanceMaintenancePolicy).
func (s groupSettings) applyMaintenance(g *store.ScalingGroup) error {
	if s.maintenance == nil {
		return nil
	}
	low, high := s.maintenance.MinHealthyPercentage, s.maintenance.MaxHealthyPercentage
	if low == nil || high == nil {
		return invalid(
			"Both MinHealthyPercentage and MaxHealthyPercentage must be specified in an instance maintenance policy",
		)
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
		return invalid(
			"The difference between MinHealthyPercentage and MaxHealthyPercentage cannot be greater than 100",
		)
	}
	g.MinHealthy, g.MaxHealthy = *low, *high
	return nil
}
