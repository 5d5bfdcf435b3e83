//go:build linux

package networks

import (
	"cmp"
	"net/netip"
	"slices"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/store"
)

// anywhere contains all IPv4 addresses.
var anywhere = netip.MustParsePrefix("0.0.0.0/0")

// allowsAll reports whether a network ACL allows all traffic, as a VPC's default ACL
// does until it is changed. entries are in the order of their numbers.
func allowsAll(entries []store.NetworkACLEntry) bool {
	var allowed [2]bool
	for _, entry := range entries {
		direction := 0
		if entry.Egress {
			direction = 1
		}
		if allowed[direction] || !entry.CIDR.Addr().Is4() {
			continue // an entry with a lower number decides, and no packet is of IPv6
		}
		if !entry.Allow {
			return false
		}
		allowed[direction] = entry.Protocol == "-1" && entry.CIDR == anywhere
	}
	return allowed[0] && allowed[1]
}

// aclsBySubnet returns the network ACLs by the ids of their subnets. It leaves out ACLs
// that allow all traffic.
func aclsBySubnet(rows []*store.NetworkACL) map[string]*firewall.ACL {
	bySubnet := map[string]*firewall.ACL{}
	for _, row := range rows {
		entries := slices.SortedFunc(
			slices.Values(row.Entries),
			func(a, b store.NetworkACLEntry) int { return cmp.Compare(a.Number, b.Number) },
		)
		if allowsAll(entries) {
			continue
		}
		acl := aclConfig(entries)
		for _, association := range row.Associations {
			bySubnet[association.SubnetID] = acl
		}
	}
	return bySubnet
}

func aclConfig(entries []store.NetworkACLEntry) *firewall.ACL {
	acl := &firewall.ACL{}
	for _, entry := range entries {
		if !entry.CIDR.Addr().Is4() {
			continue // it matches nothing: VPCs have no IPv6 range here
		}
		rule := firewall.ACLRule{
			Number: entry.Number, Allow: entry.Allow, Protocol: entry.Protocol,
			FromPort: entry.FromPort, ToPort: entry.ToPort, CIDR: entry.CIDR,
		}
		if entry.Protocol == "1" || entry.Protocol == "icmp" {
			rule.FromPort, rule.ToPort = entry.ICMPType, entry.ICMPCode
		}
		if entry.Egress {
			acl.Egress = append(acl.Egress, rule)
		} else {
			acl.Ingress = append(acl.Ingress, rule)
		}
	}
	return acl
}
