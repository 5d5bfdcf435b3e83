package console

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// ScalingGroup is an Auto Scaling group with its latest instance refreshes.
type ScalingGroup struct {
	Item

	Refreshes []Refresh
}

// Refresh is an instance refresh.
type Refresh struct {
	Item

	Percent, Left  int32 // of the instances
	Running        bool
	Started, Ended time.Time // zero: not yet
	Reason         string
	Rollback       string // why it is rolled back
	Checkpoints    []Checkpoint
	Delay          int32 // seconds at each checkpoint
}

// Checkpoint is a part of the instances after which a refresh waits.
type Checkpoint struct {
	Percent int32
	Reached bool
}

// Limits of what a page shows of Auto Scaling groups.
const (
	shownGroups    = 20
	shownRefreshes = 3
)

// scalingGroups reads the Auto Scaling groups, and how many are left out.
func (c *Console) scalingGroups(r *http.Request, clients clients) (found []ScalingGroup, left int, err error) {
	pages := autoscaling.NewDescribeAutoScalingGroupsPaginator(
		clients.asg, &autoscaling.DescribeAutoScalingGroupsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(r.Context())
		if err != nil {
			return nil, 0, fmt.Errorf("read the Auto Scaling groups: %w", err)
		}
		for _, g := range page.AutoScalingGroups {
			found = append(found, newScalingGroup(g))
		}
	}
	slices.SortFunc(found, func(a, b ScalingGroup) int { return strings.Compare(a.Name, b.Name) })
	left = max(0, len(found)-shownGroups)
	found = found[:len(found)-left]
	for i := range found {
		out, err := clients.asg.DescribeInstanceRefreshes(r.Context(), &autoscaling.DescribeInstanceRefreshesInput{
			AutoScalingGroupName: &found[i].ID, MaxRecords: aws.Int32(shownRefreshes),
		})
		if err != nil {
			return nil, 0, fmt.Errorf("read the instance refreshes of %s: %w", found[i].ID, err)
		}
		for _, refresh := range out.InstanceRefreshes {
			found[i].Refreshes = append(found[i].Refreshes, newRefresh(refresh))
		}
	}
	return found, left, nil
}

func newScalingGroup(g types.AutoScalingGroup) ScalingGroup {
	ready := 0
	for _, i := range g.Instances {
		if i.LifecycleState == types.LifecycleStateInService && aws.ToString(i.HealthStatus) == "Healthy" {
			ready++
		}
	}
	name, desired := aws.ToString(g.AutoScalingGroupName), int(aws.ToInt32(g.DesiredCapacity))
	shown := ScalingGroup{Item: Item{
		Kind: "Auto Scaling group", ID: name, Name: name,
		State:  fmt.Sprintf("%d of %d machines in service", ready, desired),
		Detail: fmt.Sprintf("%d to %d", aws.ToInt32(g.MinSize), aws.ToInt32(g.MaxSize)), Health: Good,
	}}
	if ready < desired {
		shown.Health = Waiting
	}
	return shown
}

// refreshHealth is the health of the statuses of a refresh that has ended.
var refreshHealth = map[types.InstanceRefreshStatus]Health{
	types.InstanceRefreshStatusSuccessful: Good, types.InstanceRefreshStatusFailed: Bad,
	types.InstanceRefreshStatusCancelled: Off, types.InstanceRefreshStatusRollbackSuccessful: Bad,
	types.InstanceRefreshStatusRollbackFailed: Bad,
}

// defaultCheckpointDelay is how many seconds a refresh waits at a checkpoint if nothing else is
// said (Amazon EC2 Auto Scaling API Reference, RefreshPreferences).
const defaultCheckpointDelay = 3600

func newRefresh(r types.InstanceRefresh) Refresh {
	ended, has := refreshHealth[r.Status]
	shown := Refresh{
		Item: Item{
			Kind: "instance refresh", ID: aws.ToString(r.InstanceRefreshId), State: string(r.Status), Health: Waiting,
		},
		Percent: aws.ToInt32(r.PercentageComplete), Left: aws.ToInt32(r.InstancesToUpdate), Running: !has,
		Started: aws.ToTime(r.StartTime), Ended: aws.ToTime(r.EndTime), Reason: aws.ToString(r.StatusReason),
	}
	if has {
		shown.Health = ended
	}
	if r.RollbackDetails != nil {
		shown.Rollback = aws.ToString(r.RollbackDetails.RollbackReason)
	}
	if p := r.Preferences; p != nil && len(p.CheckpointPercentages) > 0 {
		shown.Delay = defaultCheckpointDelay
		if p.CheckpointDelay != nil {
			shown.Delay = *p.CheckpointDelay
		}
		for _, percent := range p.CheckpointPercentages {
			shown.Checkpoints = append(shown.Checkpoints, Checkpoint{percent, shown.Percent >= percent})
		}
	}
	return shown
}
