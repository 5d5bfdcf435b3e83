package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// Fleets has ids as keys.
var Fleets = newTable("fleets", func(r *Fleet) string { return r.ID }, (*Fleet).region)

// Fleet is an EC2 Fleet: a request for a capacity of instances of several types.
type Fleet struct {
	ID          string // "fleet-12345678-1234-1234-1234-123456789012"
	Region      identity.Region
	Type        string // "request", "maintain"; "": instant
	ClientToken string
	Request     string // the CreateFleet request as JSON, with later modifications
	Launches    []FleetLaunch
	Failures    []FleetFailure
	Created     time.Time
	Modifying   bool // the loop has not yet acted on a modification
	Deleted     bool
	Keeps       bool         // its instances survive its deletion
	Events      []FleetEvent // none if it is instant; the oldest first
	Tags        Tags
}

// FleetEvent is an entry in the history of a fleet.
type FleetEvent struct {
	At          time.Time
	Type        string // "instance-change", "fleet-change", "service-error"
	SubType     string // "launched", "submitted"
	InstanceID  string
	Description string
}

// FleetLaunch lists what a fleet launched for one override of a launch template.
type FleetLaunch struct {
	Config, Override int // positions in the request; an Override of -1 is the launch template itself
	Type             string
	Spot             bool    // of Spot Instances
	Weight           float64 // units of capacity of an instance; zero: what the override says
	InstanceIDs      []string
}

// FleetFailure is why a fleet launched nothing for one override of a launch template.
type FleetFailure struct {
	Config, Override int
	Spot             bool // of Spot Instances
	Code, Message    string
}

func (r *Fleet) region() identity.Region { return r.Region }
