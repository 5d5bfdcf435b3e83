package scalinggroup

import "aloft.dev/aloft/internal/cloud/store"

// Units returns how many units of capacity an instance provides: its weight, or one.
func Units(i *store.ScalingInstance) int { return max(int(i.Weight), 1) }

// Units returns how many units of capacity an instance of the source provides.
func (s Source) Units() int { return max(int(s.Weight), 1) }

// NextUnits returns how many units of capacity the next launch of the group provides, if
// its preferred source has capacity. A group whose sources cannot be read launches nothing.
func NextUnits(r store.Reader, g *store.ScalingGroup) int {
	sources, err := SourcesOf(r, WithLaunchConfiguration(r, g))
	if err != nil {
		return 1
	}
	return sources[0].Units()
}

// Weigh gives the group's instances the weights of its mixed instances policy. An instance of a
// type that the policy does not list keeps its last weight (Amazon EC2 Auto Scaling User Guide,
// "Configure an Auto Scaling group to use instance weights").
func Weigh(tx *store.Tx, g *store.ScalingGroup) {
	sources, err := SourcesOf(tx, g)
	if err != nil {
		return // its launches fail and say why
	}
	for _, i := range Instances(tx, g.Key()) {
		if weight := WeightOf(sources, i); weight != i.Weight {
			store.ScalingInstances.Edit(tx, i.InstanceID, func(i *store.ScalingInstance) { i.Weight = weight })
		}
	}
}

// WeightOf returns the weight of an instance in a group that launches from the sources; 0: the
// group has no weights.
func WeightOf(sources []Source, i *store.ScalingInstance) int32 {
	for _, s := range sources {
		if s.Weight == 0 || s.InstanceType == i.Type {
			return s.Weight
		}
	}
	return max(i.Weight, 1)
}
