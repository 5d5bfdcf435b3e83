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

// CompleteLifecycleAction ends an instance's wait for a hook with a result.
func (a *API) CompleteLifecycleAction(
	ctx context.Context, in *autoscaling.CompleteLifecycleActionInput,
) (*autoscaling.CompleteLifecycleActionOutput, error) {
	if err := model.Required("lifecycleActionResult", in.LifecycleActionResult != nil); err != nil {
		return nil, err
	}
	if r := *in.LifecycleActionResult; r != scalinggroup.Continue && r != scalinggroup.Abandon {
		return nil, invalid("Invalid lifecycle action result: %s. Valid values are CONTINUE and ABANDON", r)
	}
	action := lifecycleAction{
		in.AutoScalingGroupName, in.LifecycleHookName, in.InstanceId, in.LifecycleActionToken,
	}
	return &autoscaling.CompleteLifecycleActionOutput{}, a.updateLifecycleAction(
		ctx, action, func(w *store.HookWait, _ time.Duration) { w.Result = *in.LifecycleActionResult },
	)
}

// RecordLifecycleActionHeartbeat restarts the timeout of an instance's wait for a
// hook. All heartbeats together cannot extend the wait beyond its limit.
func (a *API) RecordLifecycleActionHeartbeat(
	ctx context.Context, in *autoscaling.RecordLifecycleActionHeartbeatInput,
) (*autoscaling.RecordLifecycleActionHeartbeatOutput, error) {
	action := lifecycleAction{
		in.AutoScalingGroupName, in.LifecycleHookName, in.InstanceId, in.LifecycleActionToken,
	}
	return &autoscaling.RecordLifecycleActionHeartbeatOutput{}, a.updateLifecycleAction(
		ctx, action, func(w *store.HookWait, heartbeat time.Duration) {
			if w.Deadline = a.Now().UTC().Add(heartbeat); w.Deadline.After(w.Limit) {
				w.Deadline = w.Limit
			}
		},
	)
}

// lifecycleAction names an instance's wait for a hook by the instance, by a token
// or by both.
type lifecycleAction struct{ group, hook, instance, token *string }

// updateLifecycleAction changes a wait that has no result yet.
func (a *API) updateLifecycleAction(
	ctx context.Context, action lifecycleAction, change func(w *store.HookWait, heartbeat time.Duration),
) error {
	return a.Store.Update(func(tx *store.Tx) error {
		g, err := findGroup(tx, wire.RegionFrom(ctx), action.group)
		if err != nil {
			return err
		}
		if err := model.Required("lifecycleHookName", action.hook != nil); err != nil {
			return err
		}
		id, token := aws.ToString(action.instance), aws.ToString(action.token)
		if id == "" && token == "" {
			return invalid("Either an instance ID or a lifecycle action token must be specified")
		}
		h, ok := store.LifecycleHooks.Get(tx, g.Key()+"/"+*action.hook)
		if !ok {
			return invalid("No Lifecycle Hook found with name %s", *action.hook)
		}
		heartbeat := time.Duration(h.HeartbeatTimeout) * time.Second
		matches := func(w *store.HookWait) bool {
			return w.Hook == h.Name && w.Result == "" && (token == "" || w.Token == token)
		}
		for _, i := range scalinggroup.Instances(tx, g.Key()) {
			if id != "" && i.InstanceID != id {
				continue
			}
			if updateWaits(tx, i, matches, func(w *store.HookWait) { change(w, heartbeat) }) {
				return nil
			}
		}
		if token != "" {
			return invalid("No active Lifecycle Action found with token %s", token)
		}
		return invalid("No active Lifecycle Action found with instance ID %s", id)
	})
}

// updateWaits changes an instance's waits that match, and reports whether there
// are any.
func updateWaits(
	tx *store.Tx, i *store.ScalingInstance, matches func(*store.HookWait) bool, change func(*store.HookWait),
) bool {
	waits, found := slices.Clone(i.Waits), false
	for n := range waits {
		if matches(&waits[n]) {
			change(&waits[n])
			found = true
		}
	}
	if found {
		store.ScalingInstances.Edit(tx, i.InstanceID, func(i *store.ScalingInstance) { i.Waits = waits })
	}
	return found
}
