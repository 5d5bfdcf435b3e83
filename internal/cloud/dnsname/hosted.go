package dnsname

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"

	"aloft.dev/aloft/internal/cloud/hostedzone"
	"aloft.dev/aloft/internal/cloud/store"
)

// aliasTTL is the TTL of the records of a load balancer, in seconds (Amazon Route 53
// Developer Guide, "Choosing between alias and non-alias records").
const aliasTTL = 60

// HostedAnswer is a hosted zone's answer for a name and a type.
type HostedAnswer struct {
	Records   []string // lines of a zone file
	Authority string   // the SOA of the zone, as a line
	Exists    bool     // the name has records, perhaps of other types only
	Private   bool     // the zone is private to the VPC, where it hides other names
}

// Hosted returns what the hosted zones know of a name and a type in a VPC. known is false for a name of no zone.
func (r Resolver) Hosted(vpcID, name, kind string) (answer HostedAnswer, known bool) {
	view := r.Store.View()
	parsed, err := hostedzone.ParseName(name)
	if err != nil {
		return HostedAnswer{}, false
	}
	zone := hostedzone.Of(view, vpcID, parsed)
	if zone == nil {
		return HostedAnswer{}, false
	}
	return r.InZone(view, zone, vpcID, parsed, kind), true
}

// InZone returns what a hosted zone knows of a name, as hostedzone.ParseName returns it, for a VPC.
func (r Resolver) InZone(view store.Reader, zone *store.HostedZone, vpcID, name, kind string) HostedAnswer {
	found := hostedzone.LookupIn(view, zone, name, kind)
	answer := HostedAnswer{Exists: found.Exists, Private: zone.Private}
	if soa, ok := store.RecordSets.Get(view, store.RecordSetKey(zone.ID, zone.Name, "SOA")); ok {
		answer.Authority = soaLine(zone.Name, soa)
	}
	answer.Records = r.lines(view, vpcID, found.Records, kind)
	return answer
}

func soaLine(name string, soa *store.RecordSet) string {
	return fmt.Sprintf("%s %d IN SOA %s", name, soa.TTL, soa.Values[0])
}

// maxAliases is how many aliases lead from a name to its records at most.
const maxAliases = 8

// lines returns the records to answer with. It applies the routing policies of the sets and follows
// aliases.
func (r Resolver) lines(view store.Reader, vpcID string, sets []*store.RecordSet, kind string) (out []string) {
	choice := hostedzone.Choice{Number: r.Number}
	if r.Number == nil {
		choice.Number = rand.IntN
	}
	if vpc, ok := store.VPCs.Get(view, vpcID); ok {
		choice.Region = vpc.Region.Name()
	}
	for range maxAliases {
		sets = choice.Of(view, sets)
		if len(sets) != 1 || sets[0].Alias == nil { // aliases do not have multivalue answer routing
			break
		}
		alias := sets[0].Alias
		zone, ok := store.HostedZones.Get(view, alias.ZoneID)
		if !ok {
			return addressLines(r.aliasAddresses(view, vpcID, alias.Name), kind)
		}
		sets = hostedzone.LookupIn(view, zone, alias.Name, kind).Records
	}
	for _, set := range sets {
		out = append(out, recordLines(set)...)
	}
	return out
}

// aliasAddresses returns the addresses of the load balancer or the interface endpoint that an alias names.
func (r Resolver) aliasAddresses(view store.Reader, vpcID, alias string) []netip.Addr {
	name := strings.TrimSuffix(alias, ".")
	if lb := hostedzone.LoadBalancer(view, alias); lb != nil {
		name = lb.DNSName
	}
	addresses, _ := r.Addresses(vpcID, name)
	return addresses
}

func addressLines(addresses []netip.Addr, kind string) []string {
	var out []string
	for _, a := range addresses {
		if kind == "A" && a.Is4() || kind == "AAAA" && a.Is6() {
			out = append(out, fmt.Sprintf(". %d IN %s %s", aliasTTL, kind, a))
		}
	}
	return out
}

// recordLines returns the lines of records that are no alias. Their owner is the root: the
// resolver answers with the name that was asked for, which a wildcard may stand for.
func recordLines(set *store.RecordSet) []string {
	var out []string
	for _, value := range set.Values {
		if line, err := hostedzone.ZoneFileValue(set.Type, value); err == nil {
			out = append(out, fmt.Sprintf(". %d IN %s %s", set.TTL, set.Type, line))
		}
	}
	return out
}
