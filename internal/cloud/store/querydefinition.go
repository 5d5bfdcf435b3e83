package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// QueryDefinitions has "region/id" as key.
var QueryDefinitions = newTable("query_definitions", func(r *QueryDefinition) string { return r.Region.Key(r.ID) },
	func(r *QueryDefinition) identity.Region { return r.Region })

// QueryDefinition is a saved query of CloudWatch Logs Insights.
type QueryDefinition struct {
	ID, Name string
	Region   identity.Region
	Query    string
	Groups   []string // names of log groups
	Modified time.Time
	Token    string // of the request that created it
}
