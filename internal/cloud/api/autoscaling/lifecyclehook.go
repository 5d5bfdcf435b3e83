package autoscaling

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// DescribeLifecycleHookTypes lists the lifecycle transitions at which a hook can
// make instances wait.
func (a *API) DescribeLifecycleHookTypes(
	context.Context, *autoscaling.DescribeLifecycleHookTypesInput,
) (*autoscaling.DescribeLifecycleHookTypesOutput, error) {
	return &autoscaling.DescribeLifecycleHookTypesOutput{
		LifecycleHookTypes: []string{scalinggroup.Launching, scalinggroup.Terminating},
	}, nil
}

// PutLifecycleHook creates or changes a hook.
func (a *API) PutLifecycleHook(
	ctx context.Context, in *autoscaling.PutLifecycleHookInput,
) (*autoscaling.PutLifecycleHookOutput, error) {
	return &autoscaling.PutLifecycleHookOutput{}, a.Store.Update(func(tx *store.Tx) error {
		g, err := findActiveGroup(tx, wire.RegionFrom(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		if err := model.Required("lifecycleHookName", in.LifecycleHookName != nil); err != nil {
			return err
		}
		h := newHook(g, *in.LifecycleHookName)
		if old, ok := store.LifecycleHooks.Get(tx, g.Key()+"/"+h.Name); ok {
			*h = *old
		} else if len(store.LifecycleHooksByGroup.List(tx, g.Key())) >= maxHooks {
			return tooManyHooks()
		}
		setIfGiven(&h.Transition, in.LifecycleTransition)
		setIfGiven(&h.DefaultResult, in.DefaultResult)
		setIfGiven(&h.HeartbeatTimeout, in.HeartbeatTimeout)
		setIfGiven(&h.Metadata, in.NotificationMetadata)
		if err := checkHook(h, in.NotificationTargetARN, in.RoleARN); err != nil {
			return err
		}
		store.LifecycleHooks.Put(tx, h)
		return nil
	})
}

// newHook returns a hook with AWS's defaults (Amazon EC2 Auto Scaling API
// Reference, PutLifecycleHook).
func newHook(g *store.ScalingGroup, name string) *store.LifecycleHook {
	return &store.LifecycleHook{
		Region: g.Region, Group: g.Name, Name: name,
		DefaultResult: scalinggroup.Abandon, HeartbeatTimeout: defaultHeartbeat,
	}
}

func tooManyHooks() error {
	return wire.Errorf(
		"LimitExceeded", "You have reached the limit of %d lifecycle hooks for the Auto Scaling group", maxHooks,
	)
}

// readInitialHooks returns the hooks that CreateAutoScalingGroup creates with a
// group.
func readInitialHooks(
	g *store.ScalingGroup, specifications []types.LifecycleHookSpecification,
) ([]*store.LifecycleHook, error) {
	var out []*store.LifecycleHook
	for _, s := range specifications {
		const member = "lifecycleHookSpecificationList.member.lifecycleHookName"
		if err := model.Required(member, s.LifecycleHookName != nil); err != nil {
			return nil, err
		}
		h := newHook(g, *s.LifecycleHookName)
		setIfGiven(&h.Transition, s.LifecycleTransition)
		setIfGiven(&h.DefaultResult, s.DefaultResult)
		setIfGiven(&h.HeartbeatTimeout, s.HeartbeatTimeout)
		setIfGiven(&h.Metadata, s.NotificationMetadata)
		if err := checkHook(h, s.NotificationTargetARN, s.RoleARN); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(other *store.LifecycleHook) bool { return other.Name == h.Name }) {
			return nil, invalid("The lifecycle hook name %s was given more than once", h.Name)
		}
		out = append(out, h)
	}
	if len(out) > maxHooks {
		return nil, tooManyHooks()
	}
	return out, nil
}

// checkHook checks a complete hook. The local cloud sends no notifications: a
// hook's client finds waiting instances by their lifecycle state.
func checkHook(h *store.LifecycleHook, notificationTarget, role *string) error {
	switch {
	case aws.ToString(notificationTarget) != "":
		return wire.NotImplemented("notifications of lifecycle hooks (NotificationTargetARN)")
	case aws.ToString(role) != "":
		return wire.NotImplemented("notifications of lifecycle hooks (RoleARN)")
	case h.Transition != scalinggroup.Launching && h.Transition != scalinggroup.Terminating:
		return invalid("Invalid lifecycle transition: %s. Valid values are %s and %s",
			h.Transition, scalinggroup.Launching, scalinggroup.Terminating)
	case h.DefaultResult != scalinggroup.Continue && h.DefaultResult != scalinggroup.Abandon:
		return invalid("Invalid default result: %s. Valid values are CONTINUE and ABANDON", h.DefaultResult)
	}
	return cmp.Or(
		checkName("lifecycleHookName", &h.Name),
		model.Between("heartbeatTimeout", &h.HeartbeatTimeout, minHeartbeat, maxHeartbeat),
	)
}

// DeleteLifecycleHook deletes a hook. Instances that wait for it proceed: launches
// are abandoned, terminations continue.
func (a *API) DeleteLifecycleHook(
	ctx context.Context, in *autoscaling.DeleteLifecycleHookInput,
) (*autoscaling.DeleteLifecycleHookOutput, error) {
	return &autoscaling.DeleteLifecycleHookOutput{}, a.Store.Update(func(tx *store.Tx) error {
		g, err := findGroup(tx, wire.RegionFrom(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		if err := model.Required("lifecycleHookName", in.LifecycleHookName != nil); err != nil {
			return err
		}
		key := g.Key() + "/" + *in.LifecycleHookName
		h, ok := store.LifecycleHooks.Get(tx, key)
		if !ok {
			return invalid("No Lifecycle Hook found with name %s", *in.LifecycleHookName)
		}
		result := scalinggroup.Abandon
		if h.Transition == scalinggroup.Terminating {
			result = scalinggroup.Continue
		}
		matches := func(w *store.HookWait) bool { return w.Hook == h.Name && w.Result == "" }
		for _, i := range scalinggroup.Instances(tx, g.Key()) {
			updateWaits(tx, i, matches, func(w *store.HookWait) { w.Result = result })
		}
		store.LifecycleHooks.Delete(tx, key)
		return nil
	})
}

// DescribeLifecycleHooks returns a group's hooks, all of them or those with the
// given names.
func (a *API) DescribeLifecycleHooks(
	ctx context.Context, in *autoscaling.DescribeLifecycleHooksInput,
) (*autoscaling.DescribeLifecycleHooksOutput, error) {
	view := a.Store.Read(ctx)
	g, err := findGroup(view, wire.RegionFrom(ctx), in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	out := &autoscaling.DescribeLifecycleHooksOutput{LifecycleHooks: []types.LifecycleHook{}}
	for _, h := range store.LifecycleHooksByGroup.List(view, g.Key()) {
		if len(in.LifecycleHookNames) > 0 && !slices.Contains(in.LifecycleHookNames, h.Name) {
			continue
		}
		item := types.LifecycleHook{
			AutoScalingGroupName: aws.String(g.Name),
			LifecycleHookName:    aws.String(h.Name),
			LifecycleTransition:  aws.String(h.Transition),
			DefaultResult:        aws.String(h.DefaultResult),
			HeartbeatTimeout:     aws.Int32(h.HeartbeatTimeout),
			GlobalTimeout:        aws.Int32(int32(scalinggroup.HookTimeoutLimit(h).Seconds())),
		}
		setNonEmpty(&item.NotificationMetadata, h.Metadata)
		out.LifecycleHooks = append(out.LifecycleHooks, item)
	}
	return out, nil
}
