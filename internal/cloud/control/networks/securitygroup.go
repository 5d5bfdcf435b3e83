//go:build linux

package networks

import (
	"net/netip"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/store"
)

func securityGroupConfig(r store.Reader, row *store.SecurityGroup) firewall.SecurityGroup {
	group := firewall.SecurityGroup{ID: row.ID}
	for _, rule := range row.Rules {
		for _, block := range blocksOf(r, rule) {
			out := firewall.Rule{
				Protocol:      rule.Protocol,
				FromPort:      rule.FromPort,
				ToPort:        rule.ToPort,
				CIDR:          block,
				SecurityGroup: rule.GroupID,
			}
			if rule.Egress {
				group.Egress = append(group.Egress, out)
			} else {
				group.Ingress = append(group.Ingress, out)
			}
		}
	}
	return group
}

// blocksOf returns the blocks of a rule: those of its prefix list, or its own, which is zero if
// it names a security group.
func blocksOf(r store.Reader, rule store.SecurityGroupRule) []netip.Prefix {
	list, ok := store.PrefixLists.Get(r, rule.PrefixListID)
	if !ok {
		return []netip.Prefix{rule.CIDR}
	}
	return blocks(list)
}

// blocks returns the blocks of a prefix list.
func blocks(list *store.PrefixList) []netip.Prefix {
	all := make([]netip.Prefix, 0, len(list.Entries()))
	for _, entry := range list.Entries() {
		all = append(all, entry.CIDR)
	}
	return all
}
