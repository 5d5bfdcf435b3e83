package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// RoleDeletions are the tasks that delete service-linked roles. Their keys are their ids.
var RoleDeletions = newTable(
	"role_deletions", func(r *RoleDeletion) string { return r.ID },
	func(r *RoleDeletion) identity.Region { return r.Account },
)

// RoleDeletion is a task that deleted a service-linked role, or failed to.
type RoleDeletion struct {
	ID      string          // "task/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot/..."
	Account identity.Region // the region of what belongs to the role's account
	Usage   []RoleUsage     // why the role was not deleted; none: it was
	Created time.Time
}

// RoleUsage is what a service-linked role was in use for in a region.
type RoleUsage struct {
	Region    string   // "eu-west-1"
	Resources []string // ARNs
}
