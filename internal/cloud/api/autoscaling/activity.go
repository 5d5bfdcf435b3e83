package autoscaling

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// DescribeScalingActivities returns scaling activities, newest first. It returns
// those of deleted groups only if the request includes them.
func (a *API) DescribeScalingActivities(
	ctx context.Context, in *autoscaling.DescribeScalingActivitiesInput,
) (*autoscaling.DescribeScalingActivitiesOutput, error) {
	view := a.Store.Read(ctx)
	deleted := aws.ToBool(in.IncludeDeletedGroups)
	rows := []*store.ScalingActivity{}
	if name := in.AutoScalingGroupName; name != nil {
		if _, err := findGroup(view, wire.RegionFrom(ctx), name); err != nil && !deleted {
			return nil, err
		}
		rows = store.ScalingActivitiesByGroup.List(view, wire.RegionFrom(ctx).Key(*name))
	} else {
		rows = append(rows, store.ScalingActivities.InRegion(view, wire.RegionFrom(ctx))...)
	}
	if len(in.ActivityIds) > maxDescribed {
		return nil, invalid("The number of activity ids that may be passed in is limited to %d", maxDescribed)
	}
	matches, err := activityFilters(in.Filters, in.AutoScalingGroupName != nil)
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(r *store.ScalingActivity) bool {
		return a.Now().Sub(r.Started) > scalinggroup.ActivityRetention ||
			len(in.ActivityIds) > 0 && !slices.Contains(in.ActivityIds, r.ID) ||
			!deleted && !groupExists(view, r) ||
			!matches(r)
	})
	key := func(r *store.ScalingActivity) string { return newestFirst(r.Started, r.ID) }
	rows, next, err := paginate(pageRequest{in.MaxRecords, in.NextToken, 100, 100}, sortedBy(rows, key), key)
	return &autoscaling.DescribeScalingActivitiesOutput{
		Activities: describeActivities(view, rows), NextToken: next,
	}, err
}

// groupExists reports whether the activity's group still exists. A later group of
// the same name is another group.
func groupExists(r store.Reader, a *store.ScalingActivity) bool {
	g, ok := store.ScalingGroups.Get(r, a.GroupKey())
	return ok && g.ARN == a.GroupARN
}

// activityFilters returns a predicate that holds for activities that match all
// filters. The filter Status requires that the request names a group (Amazon EC2
// Auto Scaling API Reference, DescribeScalingActivities).
func activityFilters(filters []types.Filter, groupNamed bool) (func(*store.ScalingActivity) bool, error) {
	var tests []func(*store.ScalingActivity) bool
	for _, f := range filters {
		name := aws.ToString(f.Name)
		switch name {
		case "Status":
			if !groupNamed {
				return nil, invalid("The filter Status can only be used together with AutoScalingGroupName")
			}
			tests = append(tests, func(a *store.ScalingActivity) bool { return slices.Contains(f.Values, a.Status) })
		case "StartTimeLowerBound", "StartTimeUpperBound":
			if len(f.Values) != 1 {
				return nil, invalid("The filter %s takes one value", name)
			}
			bound, err := parseTimestamp(f.Values[0])
			if err != nil {
				return nil, invalid(
					"Invalid value %s of the filter %s: it must be an ISO 8601 timestamp", f.Values[0], name,
				)
			}
			if name == "StartTimeLowerBound" {
				tests = append(tests, func(a *store.ScalingActivity) bool { return !a.Started.Before(bound) })
			} else {
				tests = append(tests, func(a *store.ScalingActivity) bool { return !a.Started.After(bound) })
			}
		default:
			return nil, invalid("Filter type %s is not correct. Allowed Filter types are: "+
				"StartTimeLowerBound, StartTimeUpperBound, Status", name)
		}
	}
	return func(a *store.ScalingActivity) bool {
		return !slices.ContainsFunc(tests, func(test func(*store.ScalingActivity) bool) bool { return !test(a) })
	}, nil
}

// parseTimestamp parses an ISO 8601 timestamp, in UTC if it has no offset.
func parseTimestamp(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t, err = time.Parse("2006-01-02T15:04:05", text)
	}
	return t, err
}

func describeActivity(r store.Reader, a *store.ScalingActivity) types.Activity {
	out := types.Activity{
		ActivityId:           aws.String(a.ID),
		AutoScalingGroupName: aws.String(a.Group),
		AutoScalingGroupARN:  aws.String(a.GroupARN),
		Cause:                aws.String(a.Cause),
		Description:          aws.String(a.Description),
		Details:              aws.String(a.Details),
		Progress:             aws.Int32(a.Progress),
		StartTime:            aws.Time(a.Started),
		EndTime:              timeOrNil(a.Ended),
		StatusCode:           types.ScalingActivityStatusCode(a.Status),
	}
	setNonEmpty(&out.StatusMessage, a.StatusMessage)
	if !groupExists(r, a) {
		out.AutoScalingGroupState = aws.String("Deleted")
	}
	return out
}

func describeActivities(r store.Reader, rows []*store.ScalingActivity) []types.Activity {
	out := []types.Activity{}
	for _, a := range rows {
		out = append(out, describeActivity(r, a))
	}
	return out
}
