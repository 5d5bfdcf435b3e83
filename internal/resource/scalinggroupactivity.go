package resource

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/stack"
)

const (
	// recentActivities is how many activities are checked for failures.
	recentActivities = 20
	// shownActivities is how many activities a failure report shows.
	shownActivities = 5
	// repeatedFailures is how many activities have to fail alike to conclude that
	// the next one would fail, too.
	repeatedFailures = 3
)

// Activities returns the latest scaling activities of a group, at most limit, the
// newest first.
func (c *Cloud) Activities(ctx context.Context, name string, limit int32) ([]types.Activity, error) {
	list, err := c.ASG.DescribeScalingActivities(ctx, &autoscaling.DescribeScalingActivitiesInput{
		AutoScalingGroupName: &name, MaxRecords: &limit,
	})
	if isScalingNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the activities of %s: %w", name, err)
	}
	return list.Activities, nil
}

// launchFailure returns an error if the last launches of a group have all failed for the
// same reason. Launches that only even out its zones do not count: the group serves
// without them.
func (g scalingGroup) launchFailure(address string, activities []types.Activity, since time.Time) error {
	reason, n := "", 0
	for _, a := range activities {
		if a.StatusCode == types.ScalingActivityStatusCodeInProgress ||
			a.StatusCode == types.ScalingActivityStatusCodePreInService ||
			strings.Contains(aws.ToString(a.Cause), evensOut) {
			continue
		}
		message := aws.ToString(a.StatusMessage)
		earlier := aws.ToTime(a.StartTime).Before(since.Add(-time.Second))
		if a.StatusCode != types.ScalingActivityStatusCodeFailed || earlier || n > 0 && !sameFailure(message, reason) {
			break
		}
		if n == 0 {
			reason = message
		}
		n++
	}
	switch {
	case n < repeatedFailures:
		return nil
	case saysNoRoom(reason):
		return &diag.Diagnostic{
			Where:   address,
			Summary: fmt.Sprintf("AWS has no room for another server of the group: %d launches failed in a row", n),
			Detail: fmt.Sprintf("%s\nThe group's types: %s. Its zones: %s.", reason,
				g.found.Value(stack.AttrTypes), strings.Join(g.raw.AvailabilityZones, ", ")),
			Hint: "the group keeps trying: run aloft up again later; or list more types in machines.type",
		}
	}
	return &diag.Diagnostic{
		Where:   address,
		Summary: fmt.Sprintf("the group failed to launch an instance %d times in a row", n),
		Detail:  reason,
		Hint:    "fix what the reason names; the group keeps trying. Then run aloft up again",
	}
}

// evensOut is part of the cause of launches that only even out a group's zones (Amazon
// EC2 Auto Scaling User Guide, "Verify a scaling activity for an Auto Scaling group").
const evensOut = "balancing the group's zones"

// sameFailure reports whether two launches failed for the same reason. A lack of room
// is one reason, although its words name another zone each time.
func sameFailure(a, b string) bool { return a == b || saysNoRoom(a) && saysNoRoom(b) }

// saysNoRoom reports whether the status message of an activity says that a zone has no
// capacity for a type, or does not offer it. Activities have no codes.
func saysNoRoom(message string) bool {
	for _, words := range []string{
		"InsufficientInstanceCapacity", "We currently do not have sufficient", "Insufficient capacity",
		"is not supported in your requested Availability Zone",
	} {
		if strings.Contains(message, words) {
			return true
		}
	}
	return false
}

// withActivities adds the latest activities of a group to a problem.
func (c *Cloud) withActivities(ctx context.Context, d *diag.Diagnostic, name string) error {
	activities, err := c.Activities(context.WithoutCancel(ctx), name, shownActivities)
	if err != nil {
		return d
	}
	var lines []string
	if d.Detail != "" {
		lines = append(lines, d.Detail)
	}
	for _, a := range activities {
		line := fmt.Sprintf("%s: %s", a.StatusCode, strings.TrimSuffix(aws.ToString(a.Description), "."))
		if message := aws.ToString(a.StatusMessage); message != "" {
			line += ": " + message
		} else if cause := aws.ToString(a.Cause); cause != "" {
			line += ". " + cause
		}
		lines = append(lines, line)
	}
	d.Detail = strings.Join(lines, "\n")
	return d
}
