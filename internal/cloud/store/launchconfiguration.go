package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// LaunchConfigurations contains the launch configurations by LaunchConfiguration.Key.
var LaunchConfigurations = newTable(
	"launch_configurations", (*LaunchConfiguration).Key, (*LaunchConfiguration).region,
)

// LaunchConfiguration is a configuration from which an Auto Scaling group may launch instances instead of a
// launch template. It never changes.
type LaunchConfiguration struct {
	ARN, Name string
	Region    identity.Region
	Data      string // in JSON, as Auto Scaling describes it
	Created   time.Time
}

func (r *LaunchConfiguration) region() identity.Region { return r.Region }

// Key returns the row's key, "region/name".
func (r *LaunchConfiguration) Key() string { return r.Region.Key(r.Name) }
