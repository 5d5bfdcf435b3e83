package autoscaling

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/scaling/announcement"
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
		setIfGiven(&h.NotificationTargetARN, in.NotificationTargetARN)
		setIfGiven(&h.RoleARN, in.RoleARN)
		if err := a.checkHook(ctx, tx, h); err != nil {
			return err
		}
		store.LifecycleHooks.Put(tx, h)
		if in.NotificationTargetARN != nil || in.RoleARN != nil {
			announcement.TestMessage(tx, a.IDs, g, h.NotificationTargetARN, a.Now())
		}
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
func (a *API) readInitialHooks(
	ctx context.Context, r store.Reader, g *store.ScalingGroup, specifications []types.LifecycleHookSpecification,
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
		setIfGiven(&h.NotificationTargetARN, s.NotificationTargetARN)
		setIfGiven(&h.RoleARN, s.RoleARN)
		if err := a.checkHook(ctx, r, h); err != nil {
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

// checkHook checks a complete hook.
func (a *API) checkHook(ctx context.Context, r store.Reader, h *store.LifecycleHook) error {
	switch {
	case h.Transition != scalinggroup.Launching && h.Transition != scalinggroup.Terminating:
		return invalid("Invalid lifecycle transition: %s. Valid values are %s and %s",
			h.Transition, scalinggroup.Launching, scalinggroup.Terminating)
	case h.DefaultResult != scalinggroup.Continue && h.DefaultResult != scalinggroup.Abandon:
		return invalid("Invalid default result: %s. Valid values are CONTINUE and ABANDON", h.DefaultResult)
	}
	return cmp.Or(
		checkName("lifecycleHookName", &h.Name),
		model.Between("heartbeatTimeout", &h.HeartbeatTimeout, minHeartbeat, maxHeartbeat),
		a.checkHookTarget(ctx, r, h),
	)
}

// checkHookTarget checks that Auto Scaling may tell a hook's topic of waiting instances with
// the hook's role, and that the caller may give it that role.
func (a *API) checkHookTarget(ctx context.Context, r store.Reader, h *store.LifecycleHook) error {
	switch {
	case h.NotificationTargetARN == "":
		return nil
	case strings.HasPrefix(h.NotificationTargetARN, "arn:aws:sqs:"):
		return wire.NotImplemented("queues of Amazon SQS (NotificationTargetARN); name a topic of Amazon SNS")
	case h.RoleARN == "":
		return invalid("Invalid IAM role arn: a role is required with a notification target")
	}
	if role, ok := store.RoleAt(r, h.RoleARN); ok {
		if err := a.PassRole(ctx, role); err != nil {
			return err
		}
	}
	topic, ok := store.Topics.Get(r, h.NotificationTargetARN)
	if !ok || topic.Region != h.Region || !a.Publisher.may(r, h.RoleARN, h.NotificationTargetARN) {
		return invalid("Unable to publish test message to notification target %s using IAM role %s. Please check your "+
			"target and role configuration and try to put lifecycle hook again.", h.NotificationTargetARN, h.RoleARN)
	}
	return nil
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
		setNonEmpty(&item.NotificationTargetARN, h.NotificationTargetARN)
		setNonEmpty(&item.RoleARN, h.RoleARN)
		out.LifecycleHooks = append(out.LifecycleHooks, item)
	}
	return out, nil
}
