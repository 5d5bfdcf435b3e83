package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// SpotRequests has ids as keys.
var SpotRequests = newTable("spot_requests", func(r *SpotRequest) string { return r.ID }, (*SpotRequest).region)

// SpotRequest is a request for a Spot Instance, which was fulfilled at once. Its state follows from
// Cancelled and from the state of its instance.
type SpotRequest struct {
	ID          string // "sir-0123456789abcdef0"
	Region      identity.Region
	InstanceID  string
	Zone        string // of the instance
	MaxPrice    string // in USD per hour; "": none
	Launch      string // what was launched: EC2's LaunchSpecification as JSON
	Again       string // what is launched when the instance is gone: EC2's RunInstancesInput as JSON; "": one-time
	LaunchGroup string
	ZoneGroup   string
	Created     time.Time
	ValidUntil  time.Time // zero: no time
	CancelledAt time.Time // zero: it was not cancelled
	Tags        Tags
}

func (r *SpotRequest) region() identity.Region { return r.Region }
