//go:build linux

package networks

import (
	"cmp"
	"slices"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/store"
)

// flow is a direction of the packets of one family.
type flow struct{ egress, ipv6 bool }

// allowsAll reports whether a network ACL allows all traffic, as a VPC's default ACL
// does until it is changed. entries are in the order of their numbers. Without ipv6, no packet is
// of IPv6.
func allowsAll(entries []store.NetworkACLEntry, ipv6 bool) bool {
	allowed := map[flow]bool{{false, true}: !ipv6, {true, true}: !ipv6}
	for _, entry := range entries {
		of := flow{entry.Egress, entry.CIDR.Addr().Is6()}
		if allowed[of] {
			continue // an entry with a lower number decides
		}
		if !entry.Allow {
			return false
		}
		allowed[of] = entry.Protocol == "-1" && entry.CIDR.Bits() == 0
	}
	return allowed[flow{}] && allowed[flow{egress: true}] &&
		allowed[flow{ipv6: true}] && allowed[flow{egress: true, ipv6: true}]
}

// aclsBySubnet returns the network ACLs by the ids of their subnets. It leaves out ACLs
// that allow all traffic of a VPC, which has IPv6 or not.
func aclsBySubnet(rows []*store.NetworkACL, ipv6 bool) map[string]*firewall.ACL {
	bySubnet := map[string]*firewall.ACL{}
	for _, row := range rows {
		entries := slices.SortedFunc(
			slices.Values(row.Entries),
			func(a, b store.NetworkACLEntry) int { return cmp.Compare(a.Number, b.Number) },
		)
		if allowsAll(entries, ipv6) {
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
		rule := firewall.ACLRule{
			Number: entry.Number, Allow: entry.Allow, Protocol: entry.Protocol,
			FromPort: entry.FromPort, ToPort: entry.ToPort, CIDR: entry.CIDR,
		}
		switch entry.Protocol {
		case "1", "icmp", "58", "icmpv6":
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
