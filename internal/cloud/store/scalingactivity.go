package store

import "time"

// Tables of this file.
var (
	ScalingActivities            = newTable("scaling_activities", func(r *ScalingActivity) string { return r.ID }, (*ScalingActivity).region)
	ScalingActivitiesByGroup     = ScalingActivities.indexBy("group", (*ScalingActivity).GroupKey)
	OpenScalingActivitiesByGroup = ScalingActivities.indexBy("open", (*ScalingActivity).openKey)
)

// ScalingActivity is one thing that Auto Scaling did, with AWS's wording.
type ScalingActivity struct {
	ID, Region, Group string
	GroupARN          string
	InstanceID        string // "" in a launch that has not got its instance yet
	Zone, SubnetID    string
	Surplus           bool // of a launch: see ScalingInstance
	Cause             string
	Description       string
	Details           string // JSON
	Status            string // "InProgress", "Successful", "Failed", "Cancelled", "WaitingForELBConnectionDraining", …
	StatusMessage     string
	Progress          int32
	Started           time.Time
	Ended             time.Time // zero: it is going on
}

func (r *ScalingActivity) region() string { return r.Region }

// GroupKey is the key of the row of the activity's group.
func (r *ScalingActivity) GroupKey() string { return r.Region + "/" + r.Group }

// openKey returns the key of the row's Auto Scaling group, or "" if the row has ended.
func (r *ScalingActivity) openKey() string {
	if !r.Ended.IsZero() {
		return ""
	}
	return r.GroupKey()
}
