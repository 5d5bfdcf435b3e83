package autoscaling

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// CompleteLifecycleAction ends an instance's wait for a hook.
func (a *API) CompleteLifecycleAction(ctx context.Context, in *autoscaling.CompleteLifecycleActionInput) (*autoscaling.CompleteLifecycleActionOutput, error) {
	if err := model.Required("lifecycleActionResult", in.LifecycleActionResult != nil); err != nil {
		return nil, err
	}
	if r := *in.LifecycleActionResult; r != scalinggroup.Continue && r != scalinggroup.Abandon {
		return nil, invalid("Invalid lifecycle action result: %s. Valid values are CONTINUE and ABANDON", r)
	}
	return &autoscaling.CompleteLifecycleActionOutput{}, a.updateLifecycleAction(
		ctx,
		in.AutoScalingGroupName,
		in.LifecycleHookName,
		in.InstanceId,
		in.LifecycleActionToken,
		func(w *store.HookWait, _ time.Duration) {
			w.Result = *in.LifecycleActionResult
		},
	)
}

// RecordLifecycleActionHeartbeat begins an instance's wait for a hook anew, up
// to the limit of all heartbeats.
func (a *API) RecordLifecycleActionHeartbeat(ctx context.Context, in *autoscaling.RecordLifecycleActionHeartbeatInput) (*autoscaling.RecordLifecycleActionHeartbeatOutput, error) {
	return &autoscaling.RecordLifecycleActionHeartbeatOutput{}, a.updateLifecycleAction(
		ctx,
		in.AutoScalingGroupName,
		in.LifecycleHookName,
		in.InstanceId,
		in.LifecycleActionToken,
		func(w *store.HookWait, heartbeat time.Duration) {
			if w.Deadline = a.Now().UTC().Add(heartbeat); w.Deadline.After(w.Limit) {
				w.Deadline = w.Limit
			}
		},
	)
}

// updateLifecycleAction changes a lifecycle action that goes on, found by its token or by
// its instance.
func (a *API) updateLifecycleAction(
	ctx context.Context,
	name, hook, instance, token *string,
	change func(w *store.HookWait, heartbeat time.Duration),
) error {
	return a.Store.Update(func(tx *store.Tx) error {
		g, err := findGroup(tx, wire.RegionFrom(ctx), name)
		if err != nil {
			return err
		}
		if err := model.Required("lifecycleHookName", hook != nil); err != nil {
			return err
		}
		id, key := aws.ToString(instance), aws.ToString(token)
		if id == "" && key == "" {
			return invalid("Either an instance ID or a lifecycle action token must be specified")
		}
		h, ok := store.LifecycleHooks.Get(tx, g.Key()+"/"+*hook)
		if !ok {
			return invalid("No Lifecycle Hook found with name %s", *hook)
		}
		for _, i := range scalinggroup.Instances(tx, g.Key()) {
			if id != "" && i.InstanceID != id {
				continue
			}
			if updateWaits(tx, i, func(w *store.HookWait) bool {
				return w.Hook == h.Name && w.Result == "" && (key == "" || w.Token == key)
			},
				func(w *store.HookWait) { change(w, time.Duration(h.HeartbeatTimeout)*time.Second) }) {
				return nil
			}
		}
		if key != "" {
			return invalid("No active Lifecycle Action found with token %s", key)
		}
		return invalid("No active Lifecycle Action found with instance ID %s", id)
	})
}

// updateWaits changes those waits of an instance that are meant, and tells whether
// there was one.
func updateWaits(
	tx *store.Tx,
	i *store.ScalingInstance,
	meant func(*store.HookWait) bool,
	change func(*store.HookWait),
) bool {
	waits, found := slices.Clone(i.Waits), false
	for n := range waits {
		if meant(&waits[n]) {
			change(&waits[n])
			found = true
		}
	}
	if found {
		store.ScalingInstances.Edit(tx, i.InstanceID, func(i *store.ScalingInstance) { i.Waits = waits })
	}
	return found
}
