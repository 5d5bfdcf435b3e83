//go:build linux

package dns

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"aloft.dev/aloft/internal/cloud/plane/admission"
)

// Names holds the names that the local cloud knows. Names are in lower case and have no trailing
// dot.
type Names struct {
	// Zone returns the addresses of a name as machines of the VPC see them. known is false for
	// names outside the cloud; a known name without addresses does not exist.
	Zone func(vpcID, name string) (addresses []netip.Addr, known bool)
	// Reverse returns the name of an address as machines of the VPC see it. Nil: no address has
	// a name.
	Reverse func(vpcID string, address netip.Addr) (name string, known bool)
	// Synthesizes reports whether a machine of a VPC gets IPv6 addresses of names that have IPv4
	// addresses alone (DNS64). Nil: none does.
	Synthesizes func(vpcID string, machine netip.Addr) bool
	// Hosted returns what the hosted zones of the cloud know of a name and a type, such as "A".
	// known is false for names of no zone. Nil: there are no hosted zones.
	Hosted func(vpcID, name, kind string) (answer Answer, known bool)
}

// Answer is the answer for a name and a type. Records are in the form of zone files (RFC 1035,
// section 5.1); the name that they begin with does not matter.
type Answer struct {
	Exists    bool     // the name exists
	Records   []string // of the type, or a CNAME
	Authority string   // the SOA of the hosted zone; empty: the name is not in one
	Private   bool     // the hosted zone is the VPC's own, where it hides other names of the cloud
	// Synthesize says that whoever asks for the IPv6 addresses of a name outside the cloud gets those
	// of its IPv4 addresses if there are none. What the cloud has is not behind a NAT gateway.
	Synthesize bool
}

// Find returns what the cloud knows of a name and a type for a machine. known is false for names
// that the host's name servers may know.
func (n Names) Find(machine admission.Source, name, kind string) (answer Answer, known bool) {
	answer, known = n.find(machine.VPC, name, kind)
	answer.Synthesize = !known && kind == "AAAA" && n.Synthesizes != nil && n.Synthesizes(machine.VPC, machine.Address)
	return answer, known
}

func (n Names) find(vpcID, name, kind string) (answer Answer, known bool) {
	hosted, isHosted := Answer{}, false
	if n.Hosted != nil {
		hosted, isHosted = n.Hosted(vpcID, name, kind)
	}
	if hosted.Private {
		return hosted, true
	}
	if address, ok := parseReverseName(name); ok {
		if answer, known = n.findReverse(vpcID, address, kind); known {
			return answer, true
		}
	} else if addresses, ok := n.Zone(vpcID, name); ok {
		answer.Exists = len(addresses) > 0
		for _, a := range addresses {
			if kind == "A" && a.Is4() || kind == "AAAA" && a.Is6() {
				answer.Records = append(answer.Records, fmt.Sprintf(". %d IN %s %s", ttl, kind, a))
			}
		}
		return answer, true
	}
	return hosted, isHosted
}

// findReverse returns what is known of an address. Private ones are unknown outside the cloud
// too.
func (n Names) findReverse(vpcID string, address netip.Addr, kind string) (answer Answer, known bool) {
	host, ok := "", false
	if n.Reverse != nil {
		host, ok = n.Reverse(vpcID, address)
	}
	if ok && kind == "PTR" {
		answer.Records = []string{fmt.Sprintf(". %d IN PTR %s", ttl, dns.Fqdn(host))}
	}
	answer.Exists = ok
	return answer, ok || address.IsPrivate()
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

// HostResolvers returns the name servers of the host (resolv.conf(5)). They change with
// networks and VPNs.
func HostResolvers() ([]netip.AddrPort, error) {
	host, err := dns.ClientConfigFromFile("/etc/resolv.conf")
	if err != nil {
		return nil, fmt.Errorf("read the host's name servers: %w", err)
	}
	all := make([]netip.AddrPort, 0, len(host.Servers))
	for _, server := range host.Servers {
		if addr, err := netip.ParseAddr(server); err == nil {
			all = append(all, netip.AddrPortFrom(addr, 53))
		}
	}
	return all, nil
}
