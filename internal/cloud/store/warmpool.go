package store

import "aloft.dev/aloft/internal/cloud/identity"

// WarmPools contains the warm pools by the ScalingGroup.Key of their groups.
var WarmPools = newTable("warm_pools", (*WarmPool).GroupKey, (*WarmPool).region)

// WarmPool is a pool of instances that have started before an Auto Scaling group needs them.
type WarmPool struct {
	Group       string
	Region      identity.Region
	MinSize     int32
	MaxPrepared int32  // of instances in pool and group; -1: the group's maximum size
	State       string // of its instances: "Stopped", "Running"
	Reuse       bool   // instances return to the pool when the group scales in
	Deleting    bool   // terminate its instances, then delete it
	Force       bool   // while it is deleted, no instance waits for hooks
}

func (r *WarmPool) region() identity.Region { return r.Region }

// GroupKey returns the key of its Auto Scaling group, which is the row's key too.
func (r *WarmPool) GroupKey() string { return r.Region.Key(r.Group) }
