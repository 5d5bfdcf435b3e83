package resource

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

const (
	refreshLimit = 12 * time.Hour // thirty machines, one after the other, and an hour's draining of some
	cancelLimit  = 15 * time.Minute
	// sick is how many machines of a new version may be given up by their group
	// before the version is: one may have had bad luck.
	sick = 2
)

// refresh brings the machines of a group to a version of its launch template:
// another is healthy before one goes. Auto Scaling does it, and goes on when this
// run ends; a later run follows it to its end.
func (s *Site) refresh(ctx context.Context, r stack.Resource, body stack.ScalingGroup, seen *watched) error {
	name, wanted := body.GroupName, *s.id(body.Template)
	for range 3 { // an earlier refresh, a later one and what was seen late
		g, ok, err := s.group(ctx, name)
		if err != nil || !ok {
			return err
		}
		current, err := s.Refresh(ctx, name)
		if err != nil {
			return err
		}
		switch {
		case current != nil && refreshesTo(current) == wanted && !goesBack(current):
			return s.follow(ctx, r.Address, body, aws.ToString(current.InstanceRefreshId), wanted, seen)
		case current != nil:
			if err := s.endRefresh(ctx, r.Address, name, current); err != nil {
				return err
			}
			continue
		case isOf(g, wanted):
			return nil
		}
		id, err := s.startRefresh(ctx, g, wanted)
		if awsapi.IsInUse(err) {
			continue // another has begun meanwhile
		}
		if err != nil {
			return fmt.Errorf("start replacing the machines of %s: %w", name, err)
		}
		return s.follow(ctx, r.Address, body, id, wanted, seen)
	}
	return fmt.Errorf("replace the machines of %s: others keep starting instance refreshes", name)
}

// isOf tells that a group and all its machines are of one version.
func isOf(g scalingGroup, version string) bool {
	machines := g.found.Values["machines are of"]
	return g.found.Get("launch template") == version &&
		(len(machines) == 0 || len(machines) == 1 && machines[0] == version)
}

func (s *Site) startRefresh(ctx context.Context, g scalingGroup, version string) (string, error) {
	template, number := splitVersion(version)
	started, err := s.ASG.StartInstanceRefresh(ctx, &autoscaling.StartInstanceRefreshInput{
		AutoScalingGroupName: &g.found.ID, Strategy: types.RefreshStrategyRolling,
		DesiredConfiguration: &types.DesiredConfiguration{
			LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateId: &template, Version: &number},
		},
		Preferences: &types.RefreshPreferences{
			MinHealthyPercentage: aws.Int32(stack.Floor), MaxHealthyPercentage: aws.Int32(stack.Surge),
			SkipMatching: aws.Bool(true), AutoRollback: aws.Bool(true),
			ScaleInProtectedInstances: types.ScaleInProtectedInstancesRefresh, StandbyInstances: types.StandbyInstancesIgnore,
		},
	})
	if err != nil {
		return "", err
	}
	return aws.ToString(started.InstanceRefreshId), nil
}

// Refresh is the refresh of a group that has not ended, nil when there is
// none.
func (c *Cloud) Refresh(ctx context.Context, name string) (*types.InstanceRefresh, error) {
	list, err := c.ASG.DescribeInstanceRefreshes(
		ctx,
		&autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: &name, MaxRecords: aws.Int32(1)},
	)
	if err != nil {
		return nil, fmt.Errorf("look at the instance refreshes of %s: %w", name, err)
	}
	if len(list.InstanceRefreshes) == 0 || ended(list.InstanceRefreshes[0].Status) {
		return nil, nil
	}
	return &list.InstanceRefreshes[0], nil
}

func ended(s types.InstanceRefreshStatus) bool {
	switch s {
	case types.InstanceRefreshStatusSuccessful, types.InstanceRefreshStatusFailed, types.InstanceRefreshStatusCancelled,
		types.InstanceRefreshStatusRollbackSuccessful, types.InstanceRefreshStatusRollbackFailed:
		return true
	}
	return false
}

func goesBack(r *types.InstanceRefresh) bool {
	return r.Status == types.InstanceRefreshStatusRollbackInProgress ||
		r.Status == types.InstanceRefreshStatusCancelling
}

// refreshesTo is the version that a refresh brings machines to.
func refreshesTo(r *types.InstanceRefresh) string {
	if r.DesiredConfiguration == nil || r.DesiredConfiguration.LaunchTemplate == nil {
		return ""
	}
	return aws.ToString(
		r.DesiredConfiguration.LaunchTemplate.LaunchTemplateId,
	) + "/" + aws.ToString(
		r.DesiredConfiguration.LaunchTemplate.Version,
	)
}

// endRefresh ends a refresh to another version. One that goes back already is
// waited for.
func (s *Site) endRefresh(ctx context.Context, address, name string, r *types.InstanceRefresh) error {
	s.progress(address, "an earlier replacing of machines is %s: ending it first", r.Status)
	if !goesBack(r) {
		// What is being launched of a version that is not wanted may never be well.
		if _, err := s.ASG.CancelInstanceRefresh(ctx, &autoscaling.CancelInstanceRefreshInput{AutoScalingGroupName: &name, WaitForTransitioningInstances: aws.Bool(false)}); err != nil &&
			!goneFrom(err) {
			return fmt.Errorf("cancel the instance refresh of %s: %w", name, err)
		}
	}
	return awsapi.Wait(
		ctx,
		cancelLimit,
		"the instance refresh of "+name+" to end",
		func(ctx context.Context) (bool, error) {
			left, err := s.Refresh(ctx, name)
			return err == nil && left == nil, err
		},
	)
}

// follow tells how far a refresh is, until it has ended. A version whose machines
// do not become healthy is not tried for hours: it is taken back.
func (s *Site) follow(
	ctx context.Context,
	address string,
	body stack.ScalingGroup,
	id, version string,
	seen *watched,
) error {
	name := body.GroupName
	_, number := splitVersion(version)
	given, why := map[string]bool{}, ""
	var last types.InstanceRefresh
	err := awsapi.Wait(
		ctx,
		refreshLimit,
		"the machines of "+name+" to be replaced",
		func(ctx context.Context) (bool, error) {
			list, err := s.ASG.DescribeInstanceRefreshes(
				ctx,
				&autoscaling.DescribeInstanceRefreshesInput{
					AutoScalingGroupName: &name,
					InstanceRefreshIds:   []string{id},
				},
			)
			if err != nil {
				return false, fmt.Errorf("look at instance refresh %s: %w", id, err)
			}
			if len(list.InstanceRefreshes) == 0 {
				return false, nil // just started
			}
			if last = list.InstanceRefreshes[0]; ended(last.Status) {
				return true, nil
			}
			s.progress(address, "%s", refreshProgress(last))
			if why != "" || goesBack(&last) {
				return false, nil
			}
			if why, err = s.givenUp(ctx, address, name, *s.id(body.TargetGroup), number, seen, given); err != nil ||
				why == "" {
				return false, err
			}
			return false, s.takeBack(ctx, name)
		},
	)
	if err != nil {
		return err
	}
	if last.Status == types.InstanceRefreshStatusSuccessful {
		return nil
	}
	d := &diag.Diagnostic{Where: address, Summary: refreshEnd(last), Detail: why,
		Hint: "see what the application says: aloft logs; aloft up tries again with what is mended"}
	if reason := aws.ToString(last.StatusReason); d.Detail == "" {
		d.Detail = reason
	}
	return s.evidence(ctx, d, name)
}

func refreshProgress(r types.InstanceRefresh) string {
	text := fmt.Sprintf(
		"replacing machines: %d %%, %d left",
		aws.ToInt32(r.PercentageComplete),
		aws.ToInt32(r.InstancesToUpdate),
	)
	if r.Status == types.InstanceRefreshStatusRollbackInProgress {
		text = "going back: " + text
	}
	if reason := aws.ToString(r.StatusReason); reason != "" {
		text += ": " + reason
	}
	return text
}

func refreshEnd(r types.InstanceRefresh) string {
	switch r.Status {
	case types.InstanceRefreshStatusRollbackSuccessful:
		return "the new machines did not come to serve, and the group has gone back to the ones before"
	case types.InstanceRefreshStatusRollbackFailed:
		return "the new machines did not come to serve, and the group could not go back to the ones before"
	case types.InstanceRefreshStatusCancelled:
		return "somebody cancelled the replacing of the machines"
	}
	return "the replacing of the machines failed"
}

// givenUp tells why a version is not worth waiting for: its machines were given
// up by the group, or cannot be launched. "" when it is.
func (s *Site) givenUp(
	ctx context.Context,
	address, name, target, number string,
	seen *watched,
	given map[string]bool,
) (string, error) {
	_, members, err := s.look(ctx, name, target)
	if err != nil {
		return "", err
	}
	seen.see(members, time.Now())
	for _, m := range members {
		if m.Status["version"] == number && m.Status["group health"] == "Unhealthy" {
			given[m.ID] = true
		}
	}
	if len(given) >= sick {
		return fmt.Sprintf("%d machines of the new version were not healthy within their time", len(given)), nil
	}
	activities, err := s.Activities(ctx, name, 20)
	if err != nil {
		return "", err
	}
	if problem := failing(address, activities, seen.began); problem != nil {
		return diag.From(problem)[0].Detail, nil
	}
	return "", nil
}

// takeBack lets Auto Scaling return to the version before.
func (s *Site) takeBack(ctx context.Context, name string) error {
	_, err := s.ASG.RollbackInstanceRefresh(ctx, &autoscaling.RollbackInstanceRefreshInput{AutoScalingGroupName: &name})
	if err != nil && !goneFrom(err) {
		return fmt.Errorf("roll the instance refresh of %s back: %w", name, err)
	}
	return nil
}

// Scale sets how many machines a group is to have, and waits until it has them,
// all of them serving.
func (s *Site) Scale(ctx context.Context, group plan.Found, machines int) error {
	seen := newWatched(time.Now())
	if _, err := s.ASG.SetDesiredCapacity(ctx, &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: &group.ID, DesiredCapacity: aws.Int32(int32(machines)), HonorCooldown: aws.Bool(false)}); err != nil {
		return fmt.Errorf("set the number of machines of %s: %w", group.ID, err)
	}
	return s.serving(ctx, group.Address, group.ID, group.Get("target group"), seen)
}
