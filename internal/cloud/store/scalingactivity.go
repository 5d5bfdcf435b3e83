package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are ids. The indexes find a ScalingGroup.Key.
var (
	ScalingActivities = newTable(
		"scaling_activities",
		func(r *ScalingActivity) string { return r.ID },
		(*ScalingActivity).region,
	)
	ScalingActivitiesByGroup     = ScalingActivities.indexBy("group", (*ScalingActivity).GroupKey)
	OpenScalingActivitiesByGroup = ScalingActivities.indexBy("open", (*ScalingActivity).openKey)
)

// ScalingActivity is an activity of an Auto Scaling group. Cause, Description and
// StatusMessage are worded as AWS words them.
type ScalingActivity struct {
	ID, Group      string
	Region         identity.Region
	GroupARN       string
	InstanceID     string // "" for a launch whose instance does not exist yet
	Zone, SubnetID string
	Surplus        bool // of the launched instance: see ScalingInstance
	// Origin and Destination are where the instance comes from and goes to: "EC2",
	// "AutoScalingGroup", "WarmPool"; "": as launches and terminations of the group do.
	Origin, Destination string
	Cause               string
	Description         string
	Details             string // JSON
	Status              string // "InProgress", "Successful", "Failed", "Cancelled", …
	StatusMessage       string
	Progress            int32
	Started             time.Time
	LaunchAt            time.Time // of a launch: its instance launches then or later
	Ended               time.Time // zero: in progress
}

func (r *ScalingActivity) region() identity.Region { return r.Region }

// GroupKey returns the key of its Auto Scaling group.
func (r *ScalingActivity) GroupKey() string { return r.Region.Key(r.Group) }

// openKey returns the key of its Auto Scaling group, or "" if the activity has
// ended.
func (r *ScalingActivity) openKey() string {
	if !r.Ended.IsZero() {
		return ""
	}
	return r.GroupKey()
}
