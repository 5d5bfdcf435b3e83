package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// Fleets has ids as keys.
var Fleets = newTable("fleets", func(r *Fleet) string { return r.ID }, (*Fleet).region)

// Fleet is an EC2 Fleet of the type instant: one request to launch instances of several types.
type Fleet struct {
	ID          string // "fleet-12345678-1234-1234-1234-123456789012"
	Region      identity.Region
	ClientToken string
	Request     string // the CreateFleet request as JSON
	Launches    []FleetLaunch
	Failures    []FleetFailure
	Created     time.Time
	Deleted     bool
	Tags        Tags
}

// FleetLaunch lists what a fleet launched for one override of a launch template.
type FleetLaunch struct {
	Config, Override int // positions in the request; an Override of -1 is the launch template itself
	Type             string
	Spot             bool // of Spot Instances
	InstanceIDs      []string
}

// FleetFailure is why a fleet launched nothing for one override of a launch template.
type FleetFailure struct {
	Config, Override int
	Spot             bool // of Spot Instances
	Code, Message    string
}

func (r *Fleet) region() identity.Region { return r.Region }
