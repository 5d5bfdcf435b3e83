package dnsname

import (
	"fmt"
	"net/netip"
	"strings"

	"aloft.dev/aloft/internal/cloud/hostedzone"
	"aloft.dev/aloft/internal/cloud/store"
)

// aliasTTL is the TTL of the records of a load balancer, in seconds (Amazon Route 53
// Developer Guide, "Choosing between alias and non-alias records").
const aliasTTL = 60

// Hosted returns the records of a name and a type in the hosted zones, as lines of a zone
// file. exists reports whether the name has any records, and authority is the SOA of its
// zone. known is false for a name of no zone.
func (r Resolver) Hosted(vpcID, name, kind string) (records []string, authority string, exists, known bool) {
	view := r.Store.View()
	parsed, err := hostedzone.ParseName(name)
	if err != nil {
		return nil, "", false, false
	}
	answer, known := hostedzone.Lookup(view, parsed, kind)
	if !known {
		return nil, "", false, false
	}
	if soa, ok := store.RecordSets.Get(view, store.RecordSetKey(answer.Zone.ID, answer.Zone.Name, "SOA")); ok {
		authority = soaLine(answer.Zone.Name, soa)
	}
	return r.lines(view, answer.Records, kind), authority, answer.Exists, true
}

func soaLine(name string, soa *store.RecordSet) string {
	return fmt.Sprintf("%s %d IN SOA %s", name, soa.TTL, soa.Values[0])
}

// maxAliases is how many aliases lead from a name to its records at most.
const maxAliases = 8

// lines returns the records of a set.
func (r Resolver) lines(view store.Reader, set *store.RecordSet, kind string) []string {
	for range maxAliases {
		if set == nil {
			return nil
		}
		if set.Alias == nil {
			return recordLines(set)
		}
		target := set.Alias.Name
		answer, hosted := hostedzone.Lookup(view, target, kind)
		if !hosted {
			return addressLines(r.loadBalancer(view, target), kind)
		}
		set = answer.Records
	}
	return nil
}

// loadBalancer returns the addresses of the load balancer that an alias names.
func (r Resolver) loadBalancer(view store.Reader, alias string) []netip.Addr {
	for _, lb := range store.LoadBalancers.List(view) {
		if hostedzone.IsLoadBalancer(alias, lb.DNSName) {
			addresses, _ := r.Addresses("", lb.DNSName)
			return addresses
		}
	}
	return nil
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
		if set.Type == "TXT" {
			strs, err := hostedzone.ParseStrings(value)
			if err != nil {
				continue
			}
			value = quoted(strs)
		}
		out = append(out, fmt.Sprintf(". %d IN %s %s", set.TTL, set.Type, absolute(set.Type, value)))
	}
	return out
}

// absolute ends the name at the end of a value with a dot, without which a zone file
// would complete it.
func absolute(kind, value string) string {
	if (kind == "CNAME" || kind == "NS" || kind == "MX") && !strings.HasSuffix(value, ".") {
		return value + "."
	}
	return value
}

// quoted returns strings as zone files spell them, whose escape codes are decimal.
func quoted(strs []string) string {
	var b strings.Builder
	for _, s := range strs {
		b.WriteString(` "`)
		for i := range len(s) {
			if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
				fmt.Fprintf(&b, `\%03d`, c)
			} else {
				b.WriteByte(c)
			}
		}
		b.WriteByte('"')
	}
	return b.String()
}
