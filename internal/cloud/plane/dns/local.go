//go:build linux

package dns

import (
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// answerLocally answers a query for a name or an address of the cloud. It returns nil
// for all others.
func (r *Resolver) answerLocally(vpcID string, query *dns.Msg) *dns.Msg {
	q := query.Question[0]
	name := plainName(q.Name)
	header := dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET, Ttl: ttl}
	response := new(dns.Msg).SetReply(query)
	if addr, ok := parseReverseName(name); ok {
		host, known := "", false
		if r.cfg.Reverse != nil {
			host, known = r.cfg.Reverse(vpcID, addr)
		}
		switch {
		case known && q.Qtype == dns.TypePTR:
			response.Answer = append(response.Answer, &dns.PTR{Hdr: header, Ptr: dns.Fqdn(host)})
		case known:
		case addr.IsPrivate(): // unknown outside the cloud too
			response.Rcode = dns.RcodeNameError
		default:
			return nil
		}
		return response
	}
	addresses, known := r.cfg.Zone(vpcID, name)
	switch {
	case !known:
		return nil
	case len(addresses) == 0:
		response.Rcode = dns.RcodeNameError
	case q.Qtype == dns.TypeA:
		for _, a := range addresses {
			response.Answer = append(response.Answer, &dns.A{Hdr: header, A: a.AsSlice()})
		}
	}
	return response
}

// parseReverseName parses an address from a name below in-addr.arpa (RFC 1035, section
// 3.5).
func parseReverseName(name string) (netip.Addr, bool) {
	octets, ok := strings.CutSuffix(name, ".in-addr.arpa")
	parts := strings.Split(octets, ".")
	if !ok || len(parts) != 4 {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(parts[3] + "." + parts[2] + "." + parts[1] + "." + parts[0])
	return addr, err == nil
}
