package autoscaling

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// PutWarmPool creates a group's warm pool or changes it. Instances that are in the pool stay
// in the state in which they entered it.
func (a *API) PutWarmPool(
	ctx context.Context, in *autoscaling.PutWarmPoolInput,
) (*autoscaling.PutWarmPoolOutput, error) {
	return &autoscaling.PutWarmPoolOutput{}, a.Store.Update(func(tx *store.Tx) error {
		g, err := findActiveGroup(tx, wire.RegionFrom(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		pool := &store.WarmPool{
			Region: g.Region, Group: g.Name, MaxPrepared: -1, State: scalinggroup.PoolStopped,
		}
		if old, ok := store.WarmPools.Get(tx, g.Key()); ok {
			*pool = *old
		}
		setIfGiven(&pool.MinSize, in.MinSize)
		setIfGiven(&pool.MaxPrepared, in.MaxGroupPreparedCapacity)
		if in.PoolState != "" {
			pool.State = string(in.PoolState)
		}
		if in.InstanceReusePolicy != nil {
			setIfGiven(&pool.Reuse, in.InstanceReusePolicy.ReuseOnScaleIn)
		}
		if err := checkWarmPool(g, pool); err != nil {
			return err
		}
		store.WarmPools.Put(tx, pool)
		return nil
	})
}

// checkPoolSource refuses a group with a warm pool that launches what pools do not support.
func checkPoolSource(r store.Reader, g *store.ScalingGroup) error {
	if pool, ok := store.WarmPools.Get(r, g.Key()); ok && !pool.Deleting {
		return checkWarmPool(g, pool)
	}
	return nil
}

func checkWarmPool(g *store.ScalingGroup, pool *store.WarmPool) error {
	switch {
	case pool.Deleting:
		return invalid("The warm pool of Auto Scaling group %s is pending delete.", g.Name)
	case g.Mixed != "":
		return wire.NotImplemented("warm pools of groups with a mixed instances policy (PutWarmPool)")
	case pool.State == string(types.WarmPoolStateHibernated):
		return wire.NotImplemented("hibernation (PoolState Hibernated)")
	case pool.State != scalinggroup.PoolStopped && pool.State != scalinggroup.PoolRunning:
		return model.OutOfSet("poolState", pool.State, "Stopped", "Running", "Hibernated")
	case pool.MaxPrepared >= 0 && pool.MaxPrepared < pool.MinSize:
		return invalid("MaxGroupPreparedCapacity must be greater than or equal to MinSize.")
	}
	return cmp.Or(
		model.Between("minSize", &pool.MinSize, 0, maxCapacity),
		model.Between("maxGroupPreparedCapacity", &pool.MaxPrepared, -1, maxCapacity),
	)
}

// DescribeWarmPool describes a group's warm pool and its instances. A group without one has
// neither.
func (a *API) DescribeWarmPool(
	ctx context.Context, in *autoscaling.DescribeWarmPoolInput,
) (*autoscaling.DescribeWarmPoolOutput, error) {
	view := a.Store.Read(ctx)
	g, err := findGroup(view, wire.RegionFrom(ctx), in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	id := func(i *store.ScalingInstance) string { return i.InstanceID }
	rows := sortedBy(scalinggroup.WarmPoolInstances(view, g.Key()), id)
	rows, next, err := paginate(pageRequest{in.MaxRecords, in.NextToken, 50, 50}, rows, id)
	if err != nil {
		return nil, err
	}
	out := &autoscaling.DescribeWarmPoolOutput{Instances: []types.Instance{}, NextToken: next}
	if pool, ok := store.WarmPools.Get(view, g.Key()); ok {
		out.WarmPoolConfiguration = describeWarmPool(pool)
	}
	for _, i := range rows {
		out.Instances = append(out.Instances, describeInstance(view, i))
	}
	return out, nil
}

func describeWarmPool(pool *store.WarmPool) *types.WarmPoolConfiguration {
	out := &types.WarmPoolConfiguration{
		MinSize: &pool.MinSize, PoolState: types.WarmPoolState(pool.State),
		InstanceReusePolicy: &types.InstanceReusePolicy{ReuseOnScaleIn: aws.Bool(pool.Reuse)},
	}
	if pool.MaxPrepared >= 0 {
		out.MaxGroupPreparedCapacity = &pool.MaxPrepared
	}
	if pool.Deleting {
		out.Status = types.WarmPoolStatusPendingDelete
	}
	return out
}

// DeleteWarmPool deletes a group's warm pool when its instances have terminated.
func (a *API) DeleteWarmPool(
	ctx context.Context, in *autoscaling.DeleteWarmPoolInput,
) (*autoscaling.DeleteWarmPoolOutput, error) {
	return &autoscaling.DeleteWarmPoolOutput{}, a.Store.Update(func(tx *store.Tx) error {
		g, err := findGroup(tx, wire.RegionFrom(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		if _, ok := store.WarmPools.Get(tx, g.Key()); !ok {
			return invalid("No warm pool found for Auto Scaling group %s.", g.Name)
		}
		store.WarmPools.Edit(tx, g.Key(), func(pool *store.WarmPool) {
			pool.Deleting, pool.Force = true, pool.Force || aws.ToBool(in.ForceDelete)
		})
		return nil
	})
}
