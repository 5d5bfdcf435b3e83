// Package firewall describes security groups and network ACLs as plain data,
// turns them into nftables rulesets and writes those into a network namespace.
package firewall

import "net/netip"

// SecurityGroup is a security group: a stateful filter around network interfaces. What
// no rule allows is dropped. As on AWS, flows that a rule allowed live on when
// the rule is removed; new ones are refused (Amazon EC2 User Guide, Security
// group connection tracking).
type SecurityGroup struct {
	ID              string
	Ingress, Egress []Rule
}

// Rule allows one protocol from or to one range of addresses, or from or to the
// members of a group.
type Rule struct {
	Protocol string // "-1" (all), "tcp", "udp", "icmp" or an IANA protocol number

	// FromPort and ToPort bound the destination ports of tcp and udp. For icmp
	// they are the type and the code, -1 for any. Other protocols ignore them.
	FromPort, ToPort int

	CIDR          netip.Prefix // zero when Group is set
	SecurityGroup string       // the members' private addresses
}

// ACL is a network ACL: a stateless filter at the edge of a subnet. Rules are
// tried in the order of their numbers; what none matches is dropped.
type ACL struct{ Ingress, Egress []ACLRule }

// ACLRule lets a kind of packet pass or drops it. Protocol, FromPort and ToPort
// mean what they mean in Rule.
type ACLRule struct {
	Number           int
	Allow            bool
	Protocol         string
	FromPort, ToPort int
	CIDR             netip.Prefix
}
