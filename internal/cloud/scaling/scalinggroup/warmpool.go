package scalinggroup

import (
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/scaling/announcement"
	"aloft.dev/aloft/internal/cloud/store"
)

// States of the instances of a warm pool (Amazon EC2 Auto Scaling API Reference,
// PutWarmPool).
const (
	PoolStopped = "Stopped"
	PoolRunning = "Running"
)

// warmed begins the lifecycle states of instances in a warm pool.
const warmed = "Warmed:"

// InWarmPool reports whether the instance is in the group's warm pool, or on its way into it
// or out of it for good.
func InWarmPool(i *store.ScalingInstance) bool { return strings.HasPrefix(i.State, warmed) }

// Members returns the instances of the group with the key, without those of its warm pool.
func Members(r store.Reader, key string) (out []*store.ScalingInstance) {
	for _, i := range Instances(r, key) {
		if !InWarmPool(i) {
			out = append(out, i)
		}
	}
	return out
}

// WarmPoolInstances returns the instances of the warm pool of the group with the key.
func WarmPoolInstances(r store.Reader, key string) (out []*store.ScalingInstance) {
	for _, i := range Instances(r, key) {
		if InWarmPool(i) {
			out = append(out, i)
		}
	}
	return out
}

// WarmPoolSize returns how many instances a group's warm pool should have: what is missing
// from the desired capacity to the group's maximum, or to the pool's, and at least the pool's
// minimum (Amazon EC2 Auto Scaling User Guide, "Warm pools for applications with long boot
// times").
func WarmPoolSize(g *store.ScalingGroup, pool *store.WarmPool) int32 {
	most := pool.MaxPrepared
	if most < 0 {
		most = g.Max
	}
	return max(most-g.Desired, pool.MinSize, 0)
}

// TakeFromWarmPool moves the instance with the id from the warm pool into the group. Its
// launch continues with its start, unless it runs already.
func TakeFromWarmPool(tx *store.Tx, ids *identity.Source, id, cause string, surplus bool, now time.Time) {
	i, ok := store.ScalingInstances.Get(tx, id)
	if !ok {
		return
	}
	g, _ := store.ScalingGroups.Get(tx, i.GroupKey())
	a := BeginActivity(tx, ids, i, describeFromPool+": "+id, cause, now)
	store.ScalingActivities.Edit(tx, a.ID, func(a *store.ScalingActivity) {
		a.Status, a.Origin, a.Destination = PreInService, announcement.WarmPool, announcement.Group
	})
	store.ScalingInstances.Edit(tx, id, func(i *store.ScalingInstance) {
		SetLifecycleState(i, store.LifecyclePending, now)
		i.ActivityID, i.FromPool, i.Surplus = a.ID, true, surplus
		i.Protected = g != nil && g.ProtectNewInstances
	})
}

// ReturnToWarmPool moves the instance with the id, which has left service, into the group's
// warm pool. Its termination ends there.
func ReturnToWarmPool(tx *store.Tx, ids *identity.Source, id string, pool *store.WarmPool, now time.Time) {
	i, ok := store.ScalingInstances.Get(tx, id)
	if !ok {
		return
	}
	EndActivity(tx, ids, i.ActivityID, Successful, "", now)
	store.ScalingInstances.Edit(tx, id, func(i *store.ScalingInstance) {
		SetLifecycleState(i, store.LifecycleWarmedPending, now)
		i.PoolState, i.ActivityID, i.ToPool, i.Protected, i.Surplus = pool.State, "", false, false, false
		i.Registered, i.Waits, i.Health, i.HealthSetByUser = nil, nil, Healthy, false
		i.InServiceSince, i.GraceUntil = time.Time{}, time.Time{}
	})
}

// StayInWarmPool records that the instance with the id has warmed up.
func StayInWarmPool(tx *store.Tx, ids *identity.Source, id string, now time.Time) {
	i, ok := store.ScalingInstances.Get(tx, id)
	if !ok {
		return
	}
	EndActivity(tx, ids, i.ActivityID, Successful, "", now)
	store.ScalingInstances.Edit(tx, id, func(i *store.ScalingInstance) {
		SetLifecycleState(i, warmed+i.PoolState, now)
		i.ActivityID, i.Waits = "", nil
	})
}
