package scalinggroup

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
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

// ActivityRetention is how long activities are told (Amazon EC2 Auto Scaling API Reference,
// DescribeScalingActivities: six weeks).
const ActivityRetention = 6 * 7 * 24 * time.Hour

// maxActivities is how many activities are kept in all.
const maxActivities = 10_000

// BeginActivity starts an activity about an instance: "InProgress", half done.
func BeginActivity(tx *store.Tx, i *store.ScalingInstance, description, cause string, now time.Time) *store.ScalingActivity {
	a := &store.ScalingActivity{
		ID: UUID(), Region: i.Region, Group: i.Group, InstanceID: i.InstanceID, Zone: i.Zone, SubnetID: i.SubnetID,
		Cause: cause, Description: description, Details: ActivityDetails(i.SubnetID, i.Zone), Status: InProgress, Progress: 50, Started: now.UTC(),
	}
	if g, ok := store.ScalingGroups.Get(tx, i.GroupKey()); ok {
		a.GroupARN = g.ARN
	}
	store.ScalingActivities.Put(tx, a)
	return a
}

// ActivityDetails is where an activity takes place, as JSON.
func ActivityDetails(subnet, zone string) string {
	text, err := json.Marshal(map[string]string{"Subnet ID": subnet, "Availability Zone": zone})
	if err != nil {
		return "{}" // two strings can always be written
	}
	return string(text)
}

// EndActivity finishes the activity with the id, if there is one that goes on. A
// message is why it did not succeed.
func EndActivity(tx *store.Tx, id, status, message string, now time.Time) {
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
		if status == Successful {
			g.LastScaling = now.UTC()
		}
	})
}

// UpdateActivity tells how far the activity with the id is.
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

// baseDescription is the description of an activity without what its status adds.
func baseDescription(a *store.ScalingActivity) string {
	for _, begin := range []string{"Launching a new EC2 instance", "Terminating EC2 instance"} {
		if len(a.Description) >= len(begin) && a.Description[:len(begin)] == begin {
			if a.InstanceID == "" {
				return begin
			}
			return begin + ": " + a.InstanceID
		}
	}
	return a.Description
}

// DeleteOldActivities drops the activities that are no longer kept. Those that go on stay.
func DeleteOldActivities(tx *store.Tx, now time.Time) {
	all := store.ScalingActivities.List(tx)
	slices.SortFunc(
		all,
		func(a, b *store.ScalingActivity) int { return cmp.Compare(b.Started.UnixNano(), a.Started.UnixNano()) },
	)
	for n, a := range all {
		if !a.Ended.IsZero() && (n >= maxActivities || now.Sub(a.Started) > ActivityRetention) {
			store.ScalingActivities.Delete(tx, a.ID)
		}
	}
}

// UUID is a new id of an activity, a group or a lifecycle action.
func UUID() string {
	h := identity.New(nil).Hex(32)
	return fmt.Sprintf("%s-%s-%s-%s-%s", h[:8], h[8:12], h[12:16], h[16:20], h[20:])
}
