package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// Dashboards belong to an account, not to a region. The keys are "region/name".
var Dashboards = newTable("dashboards", (*Dashboard).Key, (*Dashboard).region)

// Dashboard is a page of graphs of Amazon CloudWatch, as it was sent. Nothing draws it.
type Dashboard struct {
	Name     string
	Account  identity.Region // the account's, without a name
	Body     string          // JSON
	Modified time.Time
	Tags     Tags
}

// Key returns the dashboard's key.
func (r *Dashboard) Key() string { return r.Account.Key(r.Name) }

func (r *Dashboard) region() identity.Region { return r.Account }
