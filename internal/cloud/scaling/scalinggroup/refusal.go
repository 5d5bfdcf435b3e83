package scalinggroup

import (
	"errors"
	"strings"

	"aloft.dev/aloft/internal/cloud/store"
)

// Refusal is another service's refusal of a call that Auto Scaling made for a group.
type Refusal struct{ Code, Message string }

// Error returns the message without the code, as most activities show it.
func (r *Refusal) Error() string { return r.Message }

// LacksCapacity reports whether a launch failed because its zone has no capacity for
// the instance type, so that another type may succeed.
func LacksCapacity(err error) bool {
	r, ok := errors.AsType[*Refusal](err)
	return ok && (r.Code == "InsufficientInstanceCapacity" || r.Code == "InsufficientHostCapacity" ||
		r.Code == "Unsupported" && strings.Contains(r.Message, "Availability Zone"))
}

// MessageLaunchFailed is the status message of a launch that EC2 refused. A group with
// a mixed instances policy launches through an EC2 Fleet, and its messages include the
// code (as users quote both in reports).
func MessageLaunchFailed(g *store.ScalingGroup, spot bool, err error) string {
	words := strings.TrimSuffix(err.Error(), ".")
	if r, ok := errors.AsType[*Refusal](err); ok && g.Mixed != "" {
		kind := "On-Demand"
		if spot {
			kind = "Spot"
		}
		words = "Could not launch " + kind + " Instances. " + r.Code + " - " + words
	}
	return words + ". Launching EC2 instance failed."
}
