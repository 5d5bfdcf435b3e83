package store

import (
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// IAM's rows belong to an account, which is in their ARNs, not to a region. Names are unique
// without regard to case (IAM User Guide, "IAM and AWS STS quotas"), so the keys are names in
// lower case. The key of a policy is its ARN.
var (
	Roles            = newTable("roles", (*Role).Key, (*Role).Region)
	InstanceProfiles = newTable("instance_profiles", (*InstanceProfile).Key, (*InstanceProfile).Region)
	Policies         = newTable("policies", func(r *Policy) string { return r.ARN }, (*Policy).Region)
)

// NameKey returns the key of the row with a name in the account of a region.
func NameKey(region identity.Region, name string) string {
	return string(region.Global()) + strings.ToLower(name)
}

// RoleAt returns the role with an ARN.
func RoleAt(r Reader, arn string) (*Role, bool) {
	role, ok := Roles.Get(r, NameKey(identity.RegionOfARN(arn), arn[strings.LastIndexByte(arn, '/')+1:]))
	return role, ok && role.ARN == arn
}

// Key returns the role's key.
func (r *Role) Key() string { return NameKey(r.Region(), r.Name) }

// Region returns the region of what belongs to the role's account.
func (r *Role) Region() identity.Region { return identity.RegionOfARN(r.ARN) }

// Key returns the instance profile's key.
func (r *InstanceProfile) Key() string { return NameKey(r.Region(), r.Name) }

// Region returns the region of what belongs to the instance profile's account.
func (r *InstanceProfile) Region() identity.Region { return identity.RegionOfARN(r.ARN) }

// Region returns the region of what belongs to the policy's account.
func (r *Policy) Region() identity.Region { return identity.RegionOfARN(r.ARN) }

// Permissions are the policies that a user, a group or a role has.
type Permissions struct {
	Boundary string            // ARN of the policy that is the permissions boundary; groups have none
	Inline   map[string]string // policy documents by name
	Attached []string          // ARNs of managed policies
}

// Role is an IAM role.
type Role struct {
	Name, Path, ID, ARN string
	Description         string
	Service             string // that the role is linked to: "spot.amazonaws.com"; "": none
	Trust               string // the document that says who may assume the role
	MaxSession          int32  // seconds
	Permissions
	Created        time.Time
	LastUsed       time.Time
	LastUsedRegion string
	Tags           Tags
}

// InstanceProfile hands a role to instances.
type InstanceProfile struct {
	Name, Path, ID, ARN string
	Role                string // its name; "" for none
	Created             time.Time
	Tags                Tags
}

// Policy is a managed policy of the account.
type Policy struct {
	Name, Path, ID, ARN string
	Description         string
	Versions            []PolicyVersion // the newest last
	DefaultVersion      string          // "v1"
	LastVersion         int             // number of the last version; numbers are never used again
	Created, Updated    time.Time
	Tags                Tags
}

// PolicyVersion is a version of a managed policy's document.
type PolicyVersion struct {
	ID       string // "v1"
	Document string
	Created  time.Time
}

// Version returns the version with an ID.
func (r *Policy) Version(id string) (PolicyVersion, bool) {
	i := slices.IndexFunc(r.Versions, func(v PolicyVersion) bool { return v.ID == id })
	if i < 0 {
		return PolicyVersion{}, false
	}
	return r.Versions[i], true
}
