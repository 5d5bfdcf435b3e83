package hostedzone

import (
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/store"
)

// Answer is the answer of a zone's name servers for a name and a type.
type Answer struct {
	Zone *store.HostedZone
	// Records are the record sets of the type, or the CNAME. There are several if they have a routing policy:
	// Choice selects among them. There are none if the name has no records of the type.
	Records []*store.RecordSet
	Exists  bool // the name exists, perhaps with records of other types only
}

// Of returns the zone that answers for a name in a VPC, or outside all with "". Zones that are private to the
// VPC precede public ones (Amazon Route 53 Developer Guide, "Considerations when working with a private hosted
// zone"). Of several zones, it is the one with the longest name that covers the name, and of several with this
// name the oldest. On AWS the domain's registrar or the zone above decides which public zone is asked.
func Of(r store.Reader, vpcID, name string) *store.HostedZone {
	private := false
	if vpc, ok := store.VPCs.Get(r, vpcID); ok {
		private = vpc.DNSSupport && vpc.DNSHostnames
	}
	var best *store.HostedZone
	for _, zone := range store.HostedZones.List(r) {
		if Covers(zone.Name, name) && (!zone.Private || private && zone.AnswersIn(vpcID)) && precedes(zone, best) {
			best = zone
		}
	}
	return best
}

// precedes reports whether a zone rather than another, which may be nil, answers for a name that both cover.
func precedes(zone, other *store.HostedZone) bool {
	switch {
	case other == nil:
		return true
	case zone.Private != other.Private:
		return zone.Private
	case zone.Name != other.Name:
		return len(zone.Name) > len(other.Name)
	}
	return zone.Created.Before(other.Created)
}

// Lookup looks up a name, as ParseName returns it, in a VPC, or outside all with "". ok is false if no zone
// covers the name.
func Lookup(r store.Reader, vpcID, name, kind string) (answer Answer, ok bool) {
	zone := Of(r, vpcID, name)
	if zone == nil {
		return Answer{}, false
	}
	return LookupIn(r, zone, name, kind), true
}

// LookupIn looks up a name in a zone that covers it. A name without records of a type has the answer of its
// CNAME, if it has one. A name that does not exist has the records of the closest wildcard (RFC 4592).
func LookupIn(r store.Reader, zone *store.HostedZone, name, kind string) Answer {
	answer, owner := Answer{Zone: zone}, name
	for !exists(r, zone, owner) {
		// Each name between the zone's and an existing one exists too.
		closest := parentOf(owner)
		if !Covers(zone.Name, closest) {
			return answer
		}
		if exists(r, zone, closest) {
			owner = wildcard + closest
			if !hasRecords(r, zone, owner) {
				return answer
			}
			break
		}
		owner = closest
	}
	answer.Exists = true
	for _, kind := range []string{kind, "CNAME"} {
		if answer.Records = recordSets(r, zone.ID, owner, kind); len(answer.Records) > 0 {
			break
		}
	}
	return answer
}

// recordSets returns the record sets of a zone that have a name and a type.
func recordSets(r store.Reader, zoneID, name, kind string) (sets []*store.RecordSet) {
	for _, set := range store.RecordSetsByZone.List(r, zoneID) {
		if set.Name == name && set.Type == kind {
			sets = append(sets, set)
		}
	}
	return sets
}

// exists reports whether a name of the zone, or one below it, has records.
func exists(r store.Reader, zone *store.HostedZone, name string) bool {
	for _, set := range store.RecordSetsByZone.List(r, zone.ID) {
		if Covers(name, set.Name) {
			return true
		}
	}
	return false
}

func hasRecords(r store.Reader, zone *store.HostedZone, name string) bool {
	for _, set := range store.RecordSetsByZone.List(r, zone.ID) {
		if set.Name == name {
			return true
		}
	}
	return false
}

// maxChain is how many names lead from one to its addresses at most.
const maxChain = 8

// targets returns the names outside all public zones to which a record set leads through aliases and CNAMEs, such
// as a load balancer's. With a routing policy it may lead to several.
func targets(r store.Reader, set *store.RecordSet, depth int) (names []string) {
	next := ""
	switch {
	case depth == 0:
		return nil
	case set.Alias != nil:
		next = set.Alias.Name
	case set.Type == "CNAME":
		name, err := ParseName(set.Values[0])
		if err != nil {
			return nil
		}
		next = name
	default:
		return nil
	}
	answer, ok := Lookup(r, "", next, "A")
	if !ok {
		return []string{next}
	}
	for _, set := range answer.Records {
		names = append(names, targets(r, set, depth-1)...)
	}
	return names
}

// NamesOf returns the names of all public zones that lead to a name outside them, by that name.
// They have no dots at their ends. Names that stand for all below another begin with
// "*.".
func NamesOf(r store.Reader) map[string][]string {
	out := map[string][]string{}
	for _, set := range store.RecordSets.List(r) {
		if set.Type != "A" && set.Type != "CNAME" {
			continue
		}
		if zone := Of(r, "", set.Name); zone == nil || zone.ID != set.ZoneID {
			continue // another zone answers for the name
		}
		for _, target := range targets(r, set, maxChain) {
			name := strings.TrimSuffix(set.Name, ".")
			if rest, ok := strings.CutPrefix(name, wildcard); ok {
				name = "*." + rest
			}
			target = loadBalancerName(target)
			if !slices.Contains(out[target], name) {
				out[target] = append(out[target], name)
			}
		}
	}
	return out
}

// LoadBalancer returns the load balancer whose name an alias has, perhaps with the prefix under which AWS also
// publishes IPv6 addresses, or nil.
func LoadBalancer(r store.Reader, alias string) *store.LoadBalancer {
	name := loadBalancerName(alias)
	for _, lb := range store.LoadBalancers.List(r) {
		if name == strings.ToLower(lb.DNSName) {
			return lb
		}
	}
	return nil
}

// loadBalancerName returns the DNS name of the load balancer that an alias names.
func loadBalancerName(alias string) string {
	return strings.TrimPrefix(strings.TrimSuffix(alias, "."), "dualstack.")
}
