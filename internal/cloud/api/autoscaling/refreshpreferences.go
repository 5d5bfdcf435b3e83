package autoscaling

import (
	"cmp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// completePreferences checks a refresh's preferences and returns them with the
// defaults that apply when it starts (Amazon EC2 Auto Scaling User Guide,
// Understand the default values for an instance refresh).
func (a *API) completePreferences(
	g *store.ScalingGroup, given *types.RefreshPreferences,
) (*types.RefreshPreferences, error) {
	p := types.RefreshPreferences{}
	if given != nil {
		p = *given
	}
	if err := cmp.Or(
		checkPercentages(p), checkPauses(p), checkInstanceHandling(p),
		a.checkRefreshAlarms(g.Region, p.AlarmSpecification),
	); err != nil {
		return nil, err
	}
	minHealthy, warmup := int32(90), g.HealthCheckGrace
	if g.MinHealthy >= 0 {
		minHealthy = g.MinHealthy
	}
	if g.DefaultWarmup != nil {
		warmup = *g.DefaultWarmup
	}
	if p.MaxHealthyPercentage == nil && p.MinHealthyPercentage == nil && g.MaxHealthy >= 0 {
		p.MaxHealthyPercentage = new(g.MaxHealthy)
	}
	p.MinHealthyPercentage = new(constraint.Default(p.MinHealthyPercentage, minHealthy))
	p.InstanceWarmup = new(constraint.Default(p.InstanceWarmup, warmup))
	p.SkipMatching, p.AutoRollback = new(aws.ToBool(p.SkipMatching)), new(aws.ToBool(p.AutoRollback))
	if len(p.CheckpointPercentages) > 0 {
		p.CheckpointDelay = new(constraint.Default(p.CheckpointDelay, defaultCheckpointDelay))
	}
	if p.StandbyInstances == "" {
		p.StandbyInstances = types.StandbyInstancesWait
	}
	if p.ScaleInProtectedInstances == "" {
		p.ScaleInProtectedInstances = types.ScaleInProtectedInstancesWait
	}
	return &p, nil
}

func checkPercentages(p types.RefreshPreferences) error {
	if err := cmp.Or(
		model.Between("preferences.minHealthyPercentage", p.MinHealthyPercentage, 0, 100),
		model.Between("preferences.maxHealthyPercentage", p.MaxHealthyPercentage, 100, 200),
	); err != nil {
		return err
	}
	switch {
	case p.MaxHealthyPercentage != nil && p.MinHealthyPercentage == nil:
		return invalid("You must specify MinHealthyPercentage when you specify MaxHealthyPercentage.")
	case p.MaxHealthyPercentage != nil && *p.MaxHealthyPercentage-*p.MinHealthyPercentage > 100:
		return invalid("The difference between MaxHealthyPercentage and MinHealthyPercentage cannot be greater " +
			"than 100.")
	}
	return nil
}

// checkPauses checks how long a refresh waits, and at which percentages.
func checkPauses(p types.RefreshPreferences) error {
	last := int32(0)
	for _, percent := range p.CheckpointPercentages {
		if percent <= last || percent > 100 {
			return invalid("CheckpointPercentages must be unique, in ascending order and from 1 to 100.")
		}
		last = percent
	}
	if p.CheckpointDelay != nil && len(p.CheckpointPercentages) == 0 {
		return invalid("You must specify CheckpointPercentages when you specify CheckpointDelay.")
	}
	return cmp.Or(
		model.Between("preferences.checkpointDelay", p.CheckpointDelay, 0, maxRefreshPause),
		model.Between("preferences.bakeTime", p.BakeTime, 0, maxRefreshPause),
		model.Between("preferences.instanceWarmup", p.InstanceWarmup, 0, maxSeconds),
	)
}

// checkInstanceHandling checks what a refresh does with instances on standby and
// with instances protected from scale-in.
func checkInstanceHandling(p types.RefreshPreferences) error {
	if s := p.StandbyInstances; s != "" && !slices.Contains(s.Values(), s) {
		return model.OutOfSet("preferences.standbyInstances", s, "Terminate", "Ignore", "Wait")
	}
	if s := p.ScaleInProtectedInstances; s != "" && !slices.Contains(s.Values(), s) {
		return model.OutOfSet("preferences.scaleInProtectedInstances", s, "Refresh", "Ignore", "Wait")
	}
	return nil
}

// checkRefreshAlarms refuses alarms that do not exist: such an alarm would
// never fail a refresh.
func (a *API) checkRefreshAlarms(region identity.Region, s *types.AlarmSpecification) error {
	if s == nil {
		return nil
	}
	if len(s.Alarms) > maxRefreshAlarms {
		return invalid("You can specify up to %d CloudWatch alarms.", maxRefreshAlarms)
	}
	rows := store.Alarms.InRegion(a.Store.View(), region)
	for _, name := range s.Alarms {
		if !slices.ContainsFunc(rows, func(row *store.Alarm) bool { return row.Name == name }) {
			return invalid("The CloudWatch alarm %s does not exist.", name)
		}
	}
	return nil
}
