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
	DelegationSets = newTable("delegation_sets", func(r *DelegationSet) string { return r.ID },
		func(r *DelegationSet) identity.Region { return r.Region })

	// RecordSetsByZone finds the record sets of a hosted zone, in the order of their names.
	RecordSetsByZone = RecordSets.indexBy("zone", func(r *RecordSet) string { return r.ZoneID })
)

// HostedZone is a hosted zone: a public one, or one that is private to VPCs.
type HostedZone struct {
	ID              string
	Region          identity.Region // without a name: zones belong to the account
	Name            string          // in lower case, escaped as in DNS, with a dot at the end
	CallerReference string
	Comment         string
	NameServers     []string
	DelegationSetID string // of the reusable delegation set whose name servers it has
	Created         time.Time
	Tags            Tags
	Private         bool
	VPCs            []ZoneVPC // the VPCs in which a private zone answers
	AuthorizedVPCs  []ZoneVPC // those of other accounts that a private zone may be associated with
}

// ZoneVPC is a VPC that a private hosted zone is associated with.
type ZoneVPC struct{ ID, Region string }

// AnswersIn reports whether the zone is private and answers in a VPC.
func (r *HostedZone) AnswersIn(vpcID string) bool {
	return r.Private && slices.ContainsFunc(r.VPCs, func(vpc ZoneVPC) bool { return vpc.ID == vpcID })
}

// DelegationSet is a reusable delegation set: four name servers that several zones share.
type DelegationSet struct {
	ID              string
	Region          identity.Region // without a name
	CallerReference string
	NameServers     []string
}

// RecordSet holds the records of a zone that share name and type, and with a routing policy also
// an identifier.
type RecordSet struct {
	ZoneID, Name, Type string
	TTL                int64    // seconds; 0 for an alias
	Values             []string // as the user wrote them; nil for an alias
	Alias              *RecordAlias
	Routing            Routing
}

// RoutingPolicy chooses among record sets of the same name and type.
type RoutingPolicy string

// The routing policies.
const (
	SimpleRouting     RoutingPolicy = "" // there is one record set
	WeightedRouting   RoutingPolicy = "weighted"
	LatencyRouting    RoutingPolicy = "latency"
	FailoverRouting   RoutingPolicy = "failover"
	MultivalueRouting RoutingPolicy = "multivalue"
)

// Routing is the place of a record set in its routing policy.
type Routing struct {
	Policy        RoutingPolicy
	SetIdentifier string // tells the record sets of the same name and type apart
	Weight        int64  // with weighted routing
	Region        string // with latency routing
	Failover      string // with failover routing: "PRIMARY", "SECONDARY"
}

// RecordAlias is the name whose addresses an alias record has.
type RecordAlias struct {
	ZoneID, Name   string
	EvaluateHealth bool
}

// RecordSetKey returns the key of a record set with simple routing. Within a zone, keys are in the order of
// names with their labels reversed, and then of types, in which Route 53 lists record
// sets.
func RecordSetKey(zoneID, name, kind string) string {
	return zoneID + " " + ReversedName(name) + " " + kind
}

// Key returns the record set's key. Those with a routing policy are in the order of their identifiers.
func (r *RecordSet) Key() string {
	key := RecordSetKey(r.ZoneID, r.Name, r.Type)
	if r.Routing.SetIdentifier != "" {
		key += " " + r.Routing.SetIdentifier
	}
	return key
}

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
