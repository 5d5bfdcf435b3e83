package store

import (
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// Amazon Route 53's rows belong to the account. The keys of zones and changes are their
// ids.
var (
	HostedZones = newTable("hosted_zones", func(r *HostedZone) string { return r.ID },
		func(r *HostedZone) identity.Region { return r.Region })
	RecordSets    = newTable("record_sets", (*RecordSet).Key, noRegion)
	RecordChanges = newTable("record_changes", func(r *RecordChange) string { return r.ID },
		func(r *RecordChange) identity.Region { return r.Region })

	// RecordSetsByZone finds the record sets of a hosted zone, in the order of their names.
	RecordSetsByZone = RecordSets.indexBy("zone", func(r *RecordSet) string { return r.ZoneID })
)

// HostedZone is a public hosted zone.
type HostedZone struct {
	ID              string
	Region          identity.Region // without a name: zones belong to the account
	Name            string          // in lower case, escaped as in DNS, with a dot at the end
	CallerReference string
	Comment         string
	NameServers     []string
	Created         time.Time
	Tags            Tags
}

// RecordSet holds the records of a zone that share name and type.
type RecordSet struct {
	ZoneID, Name, Type string
	TTL                int64    // seconds; 0 for an alias
	Values             []string // as the user wrote them; nil for an alias
	Alias              *RecordAlias
}

// RecordAlias is the name whose addresses an alias record has.
type RecordAlias struct {
	ZoneID, Name   string
	EvaluateHealth bool
}

// RecordSetKey returns the key of a record set. Within a zone, keys are in the order of
// names with their labels reversed, and then of types, in which Route 53 lists record
// sets.
func RecordSetKey(zoneID, name, kind string) string {
	return zoneID + " " + ReversedName(name) + " " + kind
}

// Key returns the record set's key.
func (r *RecordSet) Key() string { return RecordSetKey(r.ZoneID, r.Name, r.Type) }

// ReversedName returns a name with its labels reversed: "com.example.www." for
// "www.example.com.".
func ReversedName(name string) string {
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".") + "."
}

// RecordChange is a change of a zone that Route 53 propagates to its name servers.
type RecordChange struct {
	ID, Comment string
	Region      identity.Region // the zone's
	Submitted   time.Time
	InSyncAt    time.Time // zero: at once
}
