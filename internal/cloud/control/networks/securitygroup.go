//go:build linux

package networks

import (
	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/store"
)

func securityGroupConfig(row *store.SecurityGroup) firewall.SecurityGroup {
	group := firewall.SecurityGroup{ID: row.ID}
	for _, rule := range row.Rules {
		if rule.GroupID == "" && !rule.CIDR.Addr().Is4() {
			continue // an IPv6 rule matches nothing: VPCs have no IPv6 range here
		}
		out := firewall.Rule{
			Protocol:      rule.Protocol,
			FromPort:      rule.FromPort,
			ToPort:        rule.ToPort,
			CIDR:          rule.CIDR,
			SecurityGroup: rule.GroupID,
		}
		if rule.Egress {
			group.Egress = append(group.Egress, out)
		} else {
			group.Ingress = append(group.Ingress, out)
		}
	}
	return group
}
