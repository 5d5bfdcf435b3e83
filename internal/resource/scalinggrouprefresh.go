package resource

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/stack"
)

const (
	// refreshLimit allows for thirty instances, replaced one after the other, some of
	// which drain for an hour.
	refreshLimit = 12 * time.Hour
	// cancelLimit is how long an instance refresh may take to end after it was
	// canceled.
	cancelLimit = 15 * time.Minute
	// maxUnhealthy is how many instances of a new version their group may give up as
	// unhealthy before the refresh is rolled back. A single one may be an accident.
	maxUnhealthy = 2
)

type instanceRefreshAPI interface {
	DescribeInstanceRefreshes(
		context.Context, *autoscaling.DescribeInstanceRefreshesInput, ...func(*autoscaling.Options),
	) (*autoscaling.DescribeInstanceRefreshesOutput, error)
	StartInstanceRefresh(
		context.Context, *autoscaling.StartInstanceRefreshInput, ...func(*autoscaling.Options),
	) (*autoscaling.StartInstanceRefreshOutput, error)
	CancelInstanceRefresh(
		context.Context, *autoscaling.CancelInstanceRefreshInput, ...func(*autoscaling.Options),
	) (*autoscaling.CancelInstanceRefreshOutput, error)
	RollbackInstanceRefresh(
		context.Context, *autoscaling.RollbackInstanceRefreshInput, ...func(*autoscaling.Options),
	) (*autoscaling.RollbackInstanceRefreshOutput, error)
}

// replaceInstances replaces the instances of a group that are not of the desired
// launch template version, by an instance refresh. Each replacement is healthy
// before an instance is terminated. The refresh continues when this run ends; a
// later run follows it to its end.
func (p *Provisioner) replaceInstances(
	ctx context.Context,
	r stack.Resource,
	body stack.ScalingGroup,
	times *bootTimes,
) error {
	name, source := body.GroupName, p.newLaunchSource(body)
	for range 3 { // an earlier refresh, one that starts meanwhile, and the desired one
		g, ok, err := p.scalingGroup(ctx, name)
		if err != nil || !ok {
			return err
		}
		current, err := p.ActiveRefresh(ctx, name)
		if err != nil {
			return err
		}
		f := refreshFollower{p: p, address: r.Address, group: name, version: source.version, times: times}
		f.targetGroup, f.unhealthy = *p.id(body.TargetGroup), map[string]bool{}
		switch {
		case current != nil && refreshSource(current).equal(source) && !revertsChanges(current):
			return f.follow(ctx, aws.ToString(current.InstanceRefreshId))
		case current != nil:
			if err := p.endRefresh(ctx, r.Address, name, current); err != nil {
				return err
			}
			continue
		case g.isOf(source):
			return nil
		}
		id, err := p.startRefresh(ctx, g, source)
		if awsapi.IsInUse(err) {
			continue // another refresh has started meanwhile
		}
		if err != nil {
			return fmt.Errorf("start replacing the instances of %s: %w", name, err)
		}
		return f.follow(ctx, id)
	}
	return fmt.Errorf("replace the instances of %s: other clients keep starting instance refreshes", name)
}

// isOf reports whether a group launches from a source and all its instances are of the
// source's launch template version. An instance may be of any type that the group may
// launch: a refresh that changed the types has replaced the others.
func (g scalingGroup) isOf(source launchSource) bool {
	versions := g.found.Values(stack.AttrInstanceVersions)
	return launchSourceOf(g.raw.LaunchTemplate, g.raw.MixedInstancesPolicy).equal(source) &&
		(len(versions) == 0 || len(versions) == 1 && versions[0] == source.version)
}

// startRefresh starts a refresh that skips the instances that match the source: its
// launch template version and one of its types (Amazon EC2 Auto Scaling User Guide, "Use
// an instance refresh with skip matching").
func (p *Provisioner) startRefresh(ctx context.Context, g scalingGroup, source launchSource) (string, error) {
	in := &autoscaling.StartInstanceRefreshInput{
		AutoScalingGroupName: &g.found.ID,
		Strategy:             types.RefreshStrategyRolling,
		DesiredConfiguration: &types.DesiredConfiguration{
			LaunchTemplate: source.template(), MixedInstancesPolicy: source.mixed(),
		},
		Preferences: &types.RefreshPreferences{
			MinHealthyPercentage:      aws.Int32(stack.MinHealthyPercent),
			MaxHealthyPercentage:      aws.Int32(stack.MaxHealthyPercent),
			SkipMatching:              aws.Bool(true),
			AutoRollback:              aws.Bool(true),
			ScaleInProtectedInstances: types.ScaleInProtectedInstancesRefresh,
			StandbyInstances:          types.StandbyInstancesIgnore,
		},
	}
	var id string
	what := "start replacing the instances of " + g.found.Name
	err := awsapi.Retry(ctx, eventualLimit, what, awsapi.IsEventual, func(ctx context.Context) error {
		out, err := p.ASG.StartInstanceRefresh(ctx, in)
		if err == nil {
			id = aws.ToString(out.InstanceRefreshId)
		}
		return err
	})
	return id, err
}

// ActiveRefresh returns the instance refresh of a group that has not ended, or nil
// if there is none.
func (c *Cloud) ActiveRefresh(ctx context.Context, name string) (*types.InstanceRefresh, error) {
	list, err := c.ASG.DescribeInstanceRefreshes(ctx, &autoscaling.DescribeInstanceRefreshesInput{
		AutoScalingGroupName: &name, MaxRecords: aws.Int32(1),
	})
	if err != nil {
		return nil, fmt.Errorf("list the instance refreshes of %s: %w", name, err)
	}
	if len(list.InstanceRefreshes) == 0 || hasEnded(list.InstanceRefreshes[0].Status) {
		return nil, nil
	}
	return &list.InstanceRefreshes[0], nil
}

func hasEnded(s types.InstanceRefreshStatus) bool {
	switch s {
	case types.InstanceRefreshStatusSuccessful, types.InstanceRefreshStatusFailed,
		types.InstanceRefreshStatusCancelled, types.InstanceRefreshStatusRollbackSuccessful,
		types.InstanceRefreshStatusRollbackFailed:
		return true
	}
	return false
}

// revertsChanges reports whether a refresh is being rolled back or canceled.
func revertsChanges(r *types.InstanceRefresh) bool {
	return r.Status == types.InstanceRefreshStatusRollbackInProgress ||
		r.Status == types.InstanceRefreshStatusCancelling
}

// refreshSource returns what a refresh brings instances to.
func refreshSource(r *types.InstanceRefresh) launchSource {
	if r.DesiredConfiguration == nil {
		return launchSource{}
	}
	return launchSourceOf(r.DesiredConfiguration.LaunchTemplate, r.DesiredConfiguration.MixedInstancesPolicy)
}

// endRefresh cancels a refresh to another version and waits until it has ended. It
// only waits for one that is being rolled back already.
func (p *Provisioner) endRefresh(ctx context.Context, address, name string, r *types.InstanceRefresh) error {
	p.progress(address, "an earlier instance refresh is %s: canceling it first", r.Status)
	if !revertsChanges(r) {
		_, err := p.ASG.CancelInstanceRefresh(ctx, &autoscaling.CancelInstanceRefreshInput{
			AutoScalingGroupName: &name,
			// Instances of the undesired version that are launching may never be healthy.
			WaitForTransitioningInstances: aws.Bool(false),
		})
		if err := ignoreScalingNotFound("cancel the instance refresh of "+name, err); err != nil {
			return err
		}
	}
	what := "the instance refresh of " + name + " to end"
	return awsapi.Wait(ctx, cancelLimit, what, func(ctx context.Context) (bool, error) {
		active, err := p.ActiveRefresh(ctx, name)
		return err == nil && active == nil, err
	})
}

// refreshFollower follows an instance refresh to its end. It rolls back a refresh to
// a version whose instances do not become healthy, which Auto Scaling would retry
// for hours.
type refreshFollower struct {
	p           *Provisioner
	address     string
	group       string
	targetGroup string
	version     string
	times       *bootTimes

	unhealthy map[string]bool // instances of the version that the group gave up
	reason    string          // why the refresh was rolled back; "" if it was not
	last      types.InstanceRefresh
}

func (f *refreshFollower) follow(ctx context.Context, id string) error {
	what := "the instances of " + f.group + " to be replaced"
	err := awsapi.Wait(ctx, refreshLimit, what, func(ctx context.Context) (bool, error) { return f.poll(ctx, id) })
	if err != nil {
		return err
	}
	if f.last.Status == types.InstanceRefreshStatusSuccessful {
		return nil
	}
	d := &diag.Diagnostic{
		Where:   f.address,
		Summary: refreshFailure(f.last),
		Detail:  f.reason,
		Hint:    "see what the application says: aloft logs; fix it, then run aloft up again",
	}
	if saysNoRoom(f.reason) {
		d.Summary = strings.Replace(d.Summary, "the new servers did not become healthy",
			"AWS has no room for the new servers", 1)
		d.Hint = "run aloft up again later, or list more types in machines.type"
	}
	if d.Detail == "" {
		d.Detail = aws.ToString(f.last.StatusReason)
	}
	return f.p.withActivities(ctx, d, f.group)
}

// poll reads the refresh once. It reports whether the refresh has ended.
func (f *refreshFollower) poll(ctx context.Context, id string) (bool, error) {
	list, err := f.p.ASG.DescribeInstanceRefreshes(ctx, &autoscaling.DescribeInstanceRefreshesInput{
		AutoScalingGroupName: &f.group, InstanceRefreshIds: []string{id},
	})
	if err != nil {
		return false, fmt.Errorf("read instance refresh %s: %w", id, err)
	}
	if len(list.InstanceRefreshes) == 0 {
		return false, nil // just started
	}
	if f.last = list.InstanceRefreshes[0]; hasEnded(f.last.Status) {
		return true, nil
	}
	f.p.progress(f.address, "%s", refreshProgress(f.last))
	if f.reason != "" || revertsChanges(&f.last) {
		return false, nil
	}
	if f.reason, err = f.failure(ctx); err != nil || f.reason == "" {
		return false, err
	}
	in := &autoscaling.RollbackInstanceRefreshInput{AutoScalingGroupName: &f.group}
	_, err = f.p.ASG.RollbackInstanceRefresh(ctx, in)
	return false, ignoreScalingNotFound("roll back the instance refresh of "+f.group, err)
}

// failure returns why the version is to be rolled back: the group gave up its
// instances as unhealthy, or cannot launch them. It returns "" if it can still
// succeed.
func (f *refreshFollower) failure(ctx context.Context) (string, error) {
	g, members, _, err := f.p.groupHealth(ctx, f.group, f.targetGroup)
	if err != nil {
		return "", err
	}
	f.times.observe(members, time.Now())
	_, version := splitVersionID(f.version)
	for _, m := range members {
		if m.Status.TemplateVersion == version && m.Status.GroupHealth == "Unhealthy" {
			f.unhealthy[m.ID] = true
		}
	}
	if len(f.unhealthy) >= maxUnhealthy {
		return fmt.Sprintf("%d servers of the new version did not become healthy in time", len(f.unhealthy)), nil
	}
	activities, err := f.p.Activities(ctx, f.group, recentActivities)
	if err != nil {
		return "", err
	}
	if problem := g.launchFailure(f.address, activities, f.times.began); problem != nil {
		return diag.From(problem)[0].Detail, nil
	}
	return "", nil
}

func refreshProgress(r types.InstanceRefresh) string {
	text := fmt.Sprintf("replacing servers: %d %%, %d left",
		aws.ToInt32(r.PercentageComplete), aws.ToInt32(r.InstancesToUpdate))
	if r.Status == types.InstanceRefreshStatusRollbackInProgress {
		text = "rolling back: " + text
	}
	if reason := aws.ToString(r.StatusReason); reason != "" {
		text += ": " + reason
	}
	return text
}

func refreshFailure(r types.InstanceRefresh) string {
	switch r.Status {
	case types.InstanceRefreshStatusRollbackSuccessful:
		return "the new servers did not become healthy, and the group was rolled back to the old ones"
	case types.InstanceRefreshStatusRollbackFailed:
		return "the new servers did not become healthy, and the group could not be rolled back"
	case types.InstanceRefreshStatusCancelled:
		return "another client canceled the replacement of the servers"
	}
	return "the replacement of the servers failed"
}
