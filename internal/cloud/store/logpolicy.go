package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// LogPolicies has "region/name" as key.
var LogPolicies = newTable("log_policies", func(r *LogPolicy) string { return r.Region.Key(r.Name) },
	func(r *LogPolicy) identity.Region { return r.Region })

// LogPolicy is a policy of CloudWatch Logs, by which services may write log events.
type LogPolicy struct {
	Name     string
	Region   identity.Region
	Document string // JSON
	Updated  time.Time
}
