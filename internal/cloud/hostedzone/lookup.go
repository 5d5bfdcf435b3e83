package hostedzone

import (
	"strings"

	"aloft.dev/aloft/internal/cloud/store"
)

// Answer is what the name servers of a zone know of a name and a type.
type Answer struct {
	Zone    *store.HostedZone
	Records *store.RecordSet // nil: the name has no records of the type
	Exists  bool             // the name exists, perhaps with records of other types only
}

// Of returns the zone that answers for a name: the one with the longest name that covers
// it, and of several with this name the oldest. On AWS the domain's registrar or the zone
// above decides which zone is asked.
func Of(r store.Reader, name string) *store.HostedZone {
	var best *store.HostedZone
	for _, zone := range store.HostedZones.List(r) {
		if Covers(zone.Name, name) && (best == nil || len(zone.Name) > len(best.Name) ||
			zone.Name == best.Name && zone.Created.Before(best.Created)) {
			best = zone
		}
	}
	return best
}

// Lookup looks up a name, as ParseName returns it. A name without records of a type has
// the answer of its CNAME, if it has one. A name that does not exist has the records of
// the closest wildcard (RFC 4592). ok is false if no zone covers the name.
func Lookup(r store.Reader, name, kind string) (answer Answer, ok bool) {
	zone := Of(r, name)
	if zone == nil {
		return Answer{}, false
	}
	answer = Answer{Zone: zone}
	owner := name
	for !exists(r, zone, owner) {
		// Each name between the zone's and an existing one exists too.
		closest := parentOf(owner)
		if !Covers(zone.Name, closest) {
			return answer, true
		}
		if exists(r, zone, closest) {
			owner = wildcard + closest
			if !hasRecords(r, zone, owner) {
				return answer, true
			}
			break
		}
		owner = closest
	}
	answer.Exists = true
	for _, kind := range []string{kind, "CNAME"} {
		if records, found := store.RecordSets.Get(r, store.RecordSetKey(zone.ID, owner, kind)); found {
			answer.Records = records
			break
		}
	}
	return answer, true
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

// Target returns the name outside all zones to which a name leads through aliases and
// CNAMEs, such as a load balancer's, or "".
func Target(r store.Reader, name string) string {
	for range maxChain {
		answer, ok := Lookup(r, name, "A")
		switch {
		case !ok:
			return name
		case answer.Records == nil:
			return ""
		case answer.Records.Alias != nil:
			name = answer.Records.Alias.Name
		case answer.Records.Type == "CNAME":
			next, err := ParseName(answer.Records.Values[0])
			if err != nil {
				return ""
			}
			name = next
		default:
			return ""
		}
	}
	return ""
}

// NamesOf returns the names of all zones that lead to a name outside them, by that name.
// They have no dots at their ends. Names that stand for all below another begin with
// "*.".
func NamesOf(r store.Reader) map[string][]string {
	out := map[string][]string{}
	for _, set := range store.RecordSets.List(r) {
		if set.Type != "A" && set.Type != "CNAME" {
			continue
		}
		if zone := Of(r, set.Name); zone == nil || zone.ID != set.ZoneID {
			continue // another zone answers for the name
		}
		if target := Target(r, set.Name); target != "" {
			name := strings.TrimSuffix(set.Name, ".")
			if rest, ok := strings.CutPrefix(name, wildcard); ok {
				name = "*." + rest
			}
			target = loadBalancerName(target)
			out[target] = append(out[target], name)
		}
	}
	return out
}

// IsLoadBalancer reports whether an alias's name is that of a load balancer, perhaps with
// the prefix under which AWS also publishes IPv6 addresses.
func IsLoadBalancer(alias, dnsName string) bool {
	return loadBalancerName(alias) == strings.ToLower(dnsName)
}

// loadBalancerName returns the DNS name of the load balancer that an alias names.
func loadBalancerName(alias string) string {
	return strings.TrimPrefix(strings.TrimSuffix(alias, "."), "dualstack.")
}
