package scalinggroup

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/scaling/announcement"
	"aloft.dev/aloft/internal/cloud/store"
)

// Statuses of activities (Amazon EC2 Auto Scaling API Reference, Activity).
const (
	PreInService = "PreInService"
	InProgress   = "InProgress"
	Draining     = "WaitingForELBConnectionDraining"
	MidHook      = "MidLifecycleAction"
	Successful   = "Successful"
	Failed       = "Failed"
	Cancelled    = "Cancelled"
)

// ActivityRetention is how long activities are visible (Amazon EC2 Auto Scaling API
// Reference, DescribeScalingActivities: six weeks).
const ActivityRetention = 6 * 7 * 24 * time.Hour

// maxActivities limits how many activities are kept in all.
const maxActivities = 10_000

// BeginActivity begins an activity of an instance. Its status is InProgress.
func BeginActivity(
	tx *store.Tx, ids *identity.Source, i *store.ScalingInstance, description, cause string, now time.Time,
) *store.ScalingActivity {
	a := &store.ScalingActivity{
		ID: ids.UUID(), Region: i.Region, Group: i.Group, InstanceID: i.InstanceID, Zone: i.Zone, SubnetID: i.SubnetID,
		Cause: cause, Description: description, Details: ActivityDetails(i.SubnetID, i.Zone),
		Status: InProgress, Progress: 50, Started: now.UTC(),
	}
	if g, ok := store.ScalingGroups.Get(tx, i.GroupKey()); ok {
		a.GroupARN = g.ARN
	}
	store.ScalingActivities.Put(tx, a)
	return a
}

// ActivityDetails returns where an activity takes place, as JSON.
func ActivityDetails(subnet, zone string) string {
	text, err := json.Marshal(map[string]string{"Subnet ID": subnet, "Availability Zone": zone})
	if err != nil {
		return "{}" // strings always marshal
	}
	return string(text)
}

// EndActivity ends the activity with the id if it exists and is in progress, and tells the
// group's topics. message says why it did not succeed, or is empty.
func EndActivity(tx *store.Tx, ids *identity.Source, id, status, message string, now time.Time) {
	a, ok := store.ScalingActivities.Get(tx, id)
	if !ok || !a.Ended.IsZero() {
		return
	}
	store.ScalingActivities.Edit(tx, id, func(a *store.ScalingActivity) {
		a.Status, a.StatusMessage, a.Progress, a.Ended = status, message, 100, now.UTC()
		a.Description = baseDescription(a)
		if message != "" {
			a.Description += ".  Status Reason: " + message
		}
	})
	store.ScalingGroups.Edit(tx, a.GroupKey(), func(g *store.ScalingGroup) {
		if status == Successful && !OfWarmPool(a) {
			g.LastScaling = now.UTC()
		}
	})
	if event := eventOf(a, status); event != "" {
		a, _ = store.ScalingActivities.Get(tx, id)
		announcement.Activity(tx, ids, a, event, now)
	}
}

// OfWarmPool reports whether an activity changes the warm pool alone, and not the group's
// capacity.
func OfWarmPool(a *store.ScalingActivity) bool {
	return a.Origin == announcement.Compute && a.Destination == announcement.WarmPool ||
		a.Origin == announcement.WarmPool && a.Destination == announcement.Compute
}

// eventOf returns what an activity that ends with a status is to those who are notified, or
// "" for an activity of which nobody is.
func eventOf(a *store.ScalingActivity, status string) string {
	launch, termination := strings.HasPrefix(a.Description, describeLaunch),
		strings.HasPrefix(a.Description, describeTermination)
	switch success := status == Successful; {
	case launch && success:
		return announcement.Launched
	case launch:
		return announcement.LaunchFailed
	case termination && success:
		return announcement.Terminated
	case termination:
		return announcement.TerminationFailed
	}
	return ""
}

// UpdateActivity sets the status and the progress of the activity with the id if it
// is in progress.
func UpdateActivity(tx *store.Tx, id, status string, percent int32) {
	a, ok := store.ScalingActivities.Get(tx, id)
	if !ok || !a.Ended.IsZero() || a.Status == status {
		return
	}
	store.ScalingActivities.Edit(tx, id, func(a *store.ScalingActivity) {
		a.Status, a.Progress, a.Description = status, percent, baseDescription(a)
		if status == Draining {
			a.Description += " - Waiting For ELB Connection Draining."
		}
	})
}

// baseDescription returns an activity's description without what its status adds.
func baseDescription(a *store.ScalingActivity) string {
	for _, begin := range []string{describeIntoPool, describeFromPool, describeLaunch, describeTermination} {
		if !strings.HasPrefix(a.Description, begin) {
			continue
		}
		if a.InstanceID == "" {
			return begin
		}
		return begin + ": " + a.InstanceID
	}
	return a.Description
}

// DeleteOldActivities deletes the ended activities that are older than
// ActivityRetention or exceed the limit.
func DeleteOldActivities(tx *store.Tx, now time.Time) {
	all := store.ScalingActivities.List(tx)
	slices.SortFunc(all, func(a, b *store.ScalingActivity) int { return b.Started.Compare(a.Started) })
	for n, a := range all {
		if !a.Ended.IsZero() && (n >= maxActivities || now.Sub(a.Started) > ActivityRetention) {
			store.ScalingActivities.Delete(tx, a.ID)
		}
	}
}
