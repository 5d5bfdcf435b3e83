package autoscaling

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// DescribeLifecycleHookTypes lists the transitions that a hook can hold up.
func (a *API) DescribeLifecycleHookTypes(context.Context, *autoscaling.DescribeLifecycleHookTypesInput) (*autoscaling.DescribeLifecycleHookTypesOutput, error) {
	return &autoscaling.DescribeLifecycleHookTypesOutput{
		LifecycleHookTypes: []string{scalinggroup.Launching, scalinggroup.Terminating},
	}, nil
}

// PutLifecycleHook makes a hook, or changes one.
func (a *API) PutLifecycleHook(ctx context.Context, in *autoscaling.PutLifecycleHookInput) (*autoscaling.PutLifecycleHookOutput, error) {
	return &autoscaling.PutLifecycleHookOutput{}, a.Store.Update(func(tx *store.Tx) error {
		g, err := findActiveGroup(tx, wire.RegionFrom(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		if err := model.Required("lifecycleHookName", in.LifecycleHookName != nil); err != nil {
			return err
		}
		h := &store.LifecycleHook{
			Region:           g.Region,
			Group:            g.Name,
			Name:             *in.LifecycleHookName,
			DefaultResult:    scalinggroup.Abandon,
			HeartbeatTimeout: defaultHeartbeat,
		}
		hooks := store.LifecycleHooks.By(tx, "group", g.Key())
		if at := slices.IndexFunc(hooks, func(old *store.LifecycleHook) bool { return old.Name == h.Name }); at >= 0 {
			*h = *hooks[at]
		} else if len(hooks) >= maxHooks {
			return wire.Errorf(
				"LimitExceeded", "You have reached the limit of %d lifecycle hooks for the Auto Scaling group",
				maxHooks,
			)
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

// readInitialHooks reads the hooks that a group is made with.
func readInitialHooks(g *store.ScalingGroup, given []types.LifecycleHookSpecification) ([]*store.LifecycleHook, error) {
	var out []*store.LifecycleHook
	for _, s := range given {
		if err := model.Required(
			"lifecycleHookSpecificationList.member.lifecycleHookName", s.LifecycleHookName != nil,
		); err != nil {
			return nil, err
		}
		h := &store.LifecycleHook{
			Region: g.Region, Group: g.Name, Name: *s.LifecycleHookName,
			Transition:    aws.ToString(s.LifecycleTransition),
			DefaultResult: constraint.Default(s.DefaultResult, scalinggroup.Abandon),
			HeartbeatTimeout: constraint.Default(
				s.HeartbeatTimeout,
				defaultHeartbeat,
			), Metadata: aws.ToString(s.NotificationMetadata),
		}
		if err := checkHook(h, s.NotificationTargetARN, s.RoleARN); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(other *store.LifecycleHook) bool { return other.Name == h.Name }) {
			return nil, invalid("The lifecycle hook name %s was given more than once", h.Name)
		}
		out = append(out, h)
	}
	if len(out) > maxHooks {
		return nil, wire.Errorf(
			"LimitExceeded", "You have reached the limit of %d lifecycle hooks for the Auto Scaling group", maxHooks,
		)
	}
	return out, nil
}

// checkHook refuses a hook that is not whole. Nobody is notified here: whoever
// acts for a hook finds the waiting instance by its lifecycle state.
func checkHook(h *store.LifecycleHook, target, role *string) error {
	switch {
	case aws.ToString(target) != "":
		return wire.NotImplemented("notifications of lifecycle hooks (NotificationTargetARN)")
	case aws.ToString(role) != "":
		return wire.NotImplemented("notifications of lifecycle hooks (RoleARN)")
	case h.Transition != scalinggroup.Launching && h.Transition != scalinggroup.Terminating:
		return invalid(
			"Invalid lifecycle transition: %s. Valid values are %s and %s",
			h.Transition,
			scalinggroup.Launching,
			scalinggroup.Terminating,
		)
	case h.DefaultResult != scalinggroup.Continue && h.DefaultResult != scalinggroup.Abandon:
		return invalid("Invalid default result: %s. Valid values are CONTINUE and ABANDON", h.DefaultResult)
	}
	return cmp.Or(
		checkName("lifecycleHookName", &h.Name),
		model.Between("heartbeatTimeout", &h.HeartbeatTimeout, minHeartbeat, maxHeartbeat),
	)
}

// DeleteLifecycleHook removes a hook. Instances that wait for it go on: a launch
// as if it had been abandoned, a termination as if it had been continued.
func (a *API) DeleteLifecycleHook(ctx context.Context, in *autoscaling.DeleteLifecycleHookInput) (*autoscaling.DeleteLifecycleHookOutput, error) {
	return &autoscaling.DeleteLifecycleHookOutput{}, a.Store.Update(func(tx *store.Tx) error {
		g, err := findGroup(tx, wire.RegionFrom(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		if err := model.Required("lifecycleHookName", in.LifecycleHookName != nil); err != nil {
			return err
		}
		h, ok := store.LifecycleHooks.Get(tx, g.Key()+"/"+*in.LifecycleHookName)
		if !ok {
			return invalid("No Lifecycle Hook found with name %s", *in.LifecycleHookName)
		}
		result := scalinggroup.Abandon
		if h.Transition == scalinggroup.Terminating {
			result = scalinggroup.Continue
		}
		for _, i := range scalinggroup.Instances(tx, g.Key()) {
			updateWaits(
				tx,
				i,
				func(w *store.HookWait) bool { return w.Hook == h.Name && w.Result == "" },
				func(w *store.HookWait) { w.Result = result },
			)
		}
		store.LifecycleHooks.Delete(tx, g.Key()+"/"+h.Name)
		return nil
	})
}

// DescribeLifecycleHooks lists a group's hooks, or those of the names given.
func (a *API) DescribeLifecycleHooks(ctx context.Context, in *autoscaling.DescribeLifecycleHooksInput) (*autoscaling.DescribeLifecycleHooksOutput, error) {
	view := a.Store.View()
	g, err := findGroup(view, wire.RegionFrom(ctx), in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	out := &autoscaling.DescribeLifecycleHooksOutput{LifecycleHooks: []types.LifecycleHook{}}
	for _, h := range store.LifecycleHooks.By(view, "group", g.Key()) {
		if len(in.LifecycleHookNames) > 0 && !slices.Contains(in.LifecycleHookNames, h.Name) {
			continue
		}
		item := types.LifecycleHook{
			AutoScalingGroupName: aws.String(g.Name),
			LifecycleHookName:    aws.String(h.Name), LifecycleTransition: aws.String(h.Transition),
			DefaultResult:    aws.String(h.DefaultResult),
			HeartbeatTimeout: aws.Int32(h.HeartbeatTimeout),
			GlobalTimeout:    aws.Int32(int32(scalinggroup.HookTimeoutLimit(h).Seconds())),
		}
		setNonEmpty(&item.NotificationMetadata, h.Metadata)
		out.LifecycleHooks = append(out.LifecycleHooks, item)
	}
	return out, nil
}
