package reachability

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// peer is the other end of a connection, as a filter sees it.
type peer struct {
	address netip.Addr // zero: any on the internet
	groups  []string   // ids of its security groups, which count inside a VPC
}

// within reports whether a CIDR block has the peer. Only the one of everything has any address.
func (p peer) within(cidr *string) bool {
	prefix, err := netip.ParsePrefix(aws.ToString(cidr))
	if err != nil {
		return false
	}
	if !p.address.IsValid() {
		return prefix.Bits() == 0
	}
	return prefix.Contains(p.address)
}

// cidr returns the smallest block that has the peer.
func (p peer) cidr() string {
	if !p.address.IsValid() {
		return "0.0.0.0/0"
	}
	return netip.PrefixFrom(p.address, p.address.BitLen()).String()
}

func (p peer) String() string {
	if !p.address.IsValid() {
		return "any address"
	}
	return p.address.String()
}

// ports is a range of ports.
type ports struct{ from, to int }

func (p ports) String() string {
	if p.from == p.to {
		return strconv.Itoa(p.from)
	}
	return fmt.Sprintf("%d-%d", p.from, p.to)
}

// The ports from which connections are made: those of Linux, and those that clients on the
// internet use (Amazon VPC User Guide, Ephemeral ports).
var (
	linuxPorts  = ports{32768, 60999}
	clientPorts = ports{1024, 65535}
)

// isTCP reports whether a rule's protocol includes TCP.
func isTCP(protocol *string) bool {
	return slices.Contains([]string{"-1", "6", "tcp"}, aws.ToString(protocol))
}

// groups returns the hop of the security groups of an interface.
func (w *world) groups(nic *types.NetworkInterface, other peer, port uint16, out bool) Hop {
	h := Hop{Kind: GroupIn, At: aws.ToString(nic.NetworkInterfaceId), State: Allows}
	if out {
		h.Kind = GroupOut
	}
	if nic.InterfaceType == types.NetworkInterfaceTypeNetworkLoadBalancer && len(nic.Groups) == 0 {
		h.Reason = "a Network Load Balancer without security groups filters nothing"
		return h
	}
	var ids, allowed []string
	for _, g := range nic.Groups {
		ids = append(ids, aws.ToString(g.GroupId))
	}
	h.ID = strings.Join(ids, ",")
	preposition := map[bool]string{false: "from", true: "to"}[out]
	for _, rule := range w.Rules {
		if aws.ToBool(rule.IsEgress) != out || !slices.Contains(ids, aws.ToString(rule.GroupId)) {
			continue
		}
		text := ruleText(rule, preposition)
		allowed = append(allowed, text)
		if !isTCP(rule.IpProtocol) || !hasPort(rule, port) {
			continue
		}
		id := aws.ToString(rule.SecurityGroupRuleId)
		if matches(rule, other) {
			h.ID, h.Rule, h.State = aws.ToString(rule.GroupId), id, Allows
			h.Reason = "allows " + text
			return h
		}
		if rule.PrefixListId != nil {
			h.Rule, h.State = id, Unknown
		}
	}
	if h.State == Unknown {
		h.Reason = fmt.Sprintf("allows tcp %d for a prefix list, whose ranges are not read", port)
		return h
	}
	h.State, h.Reason = Blocks, fmt.Sprintf("no rule allows tcp %d %s %s", port, preposition, other)
	if len(allowed) > 0 {
		h.Reason += "; allowed: " + strings.Join(allowed, ", ")
	}
	if len(ids) > 0 {
		h.Fix = authorize(ids[0], other, port, out)
	}
	return h
}

func hasPort(rule types.SecurityGroupRule, port uint16) bool {
	if aws.ToString(rule.IpProtocol) == "-1" || aws.ToInt32(rule.FromPort) < 0 {
		return true
	}
	return aws.ToInt32(rule.FromPort) <= int32(port) && int32(port) <= aws.ToInt32(rule.ToPort)
}

func matches(rule types.SecurityGroupRule, other peer) bool {
	if rule.ReferencedGroupInfo != nil {
		return slices.Contains(other.groups, aws.ToString(rule.ReferencedGroupInfo.GroupId))
	}
	return other.within(rule.CidrIpv4)
}

// ruleText describes a rule: "tcp 80 from 0.0.0.0/0".
func ruleText(rule types.SecurityGroupRule, preposition string) string {
	whom := cmp.Or(aws.ToString(rule.CidrIpv4), aws.ToString(rule.CidrIpv6), aws.ToString(rule.PrefixListId))
	if rule.ReferencedGroupInfo != nil {
		whom = aws.ToString(rule.ReferencedGroupInfo.GroupId)
	}
	return Traffic(rule.IpProtocol, rule.FromPort, rule.ToPort) + " " + preposition + " " + whom
}

// protocols are the names of protocols by their numbers, which network ACLs have.
var protocols = map[string]string{"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}

// Traffic describes what a rule of a security group or an entry of a network ACL is about:
// "tcp 80", "udp 8000-8010", "all traffic". from and to are ports, which may be nil.
func Traffic(protocol *string, from, to *int32) string {
	name := aws.ToString(protocol)
	if known, ok := protocols[name]; ok {
		name = known
	}
	switch first, last := aws.ToInt32(from), aws.ToInt32(to); {
	case name == "-1":
		return "all traffic"
	case strings.HasPrefix(name, "icmp"):
		return name // from and to are a type and a code
	case name != "tcp" && name != "udp":
		return "protocol " + name
	case from == nil || first <= 0 && last == 65535:
		return "all " + name
	default:
		return name + " " + ports{int(first), int(last)}.String()
	}
}

// authorize returns the command that adds the smallest rule to a security group.
func authorize(group string, other peer, port uint16, out bool) string {
	direction := "ingress"
	if out {
		direction = "egress"
	}
	whom := "IpRanges=[{CidrIp=" + other.cidr() + "}]"
	if len(other.groups) > 0 {
		whom = "UserIdGroupPairs=[{GroupId=" + other.groups[0] + "}]"
	}
	return fmt.Sprintf("aws ec2 authorize-security-group-%s --group-id %s "+
		"--ip-permissions 'IpProtocol=tcp,FromPort=%d,ToPort=%d,%s'", direction, group, port, port, whom)
}

// LastEntry is the number of the entry of a network ACL that denies what no other one matches
// (Amazon VPC User Guide, Network ACL rules).
const LastEntry = 32767

// acl returns the hop of a subnet's network ACL in one direction, for ports of the packets'
// destination.
func (w *world) acl(subnet string, other peer, to ports, out bool) Hop {
	h := Hop{Kind: ACLIn, At: subnet, State: Unknown, Reason: "the subnet's network ACL is not described"}
	if out {
		h.Kind = ACLOut
	}
	acl := w.networkACL(subnet)
	if acl == nil {
		return h
	}
	h.ID = aws.ToString(acl.NetworkAclId)
	var entries []types.NetworkAclEntry
	used := map[int32]bool{}
	for _, e := range acl.Entries {
		if aws.ToBool(e.Egress) == out {
			used[aws.ToInt32(e.RuleNumber)] = true
			if isTCP(e.Protocol) && other.within(e.CidrBlock) {
				entries = append(entries, e)
			}
		}
	}
	slices.SortFunc(entries, func(a, b types.NetworkAclEntry) int {
		return cmp.Compare(aws.ToInt32(a.RuleNumber), aws.ToInt32(b.RuleNumber))
	})
	deciding := decide(entries, to)
	number := aws.ToInt32(deciding.RuleNumber)
	h.Rule = strconv.Itoa(int(number))
	preposition, direction := "from", "ingress"
	if out {
		preposition, direction = "to", "egress"
	}
	traffic := fmt.Sprintf("tcp %s %s %s", to, preposition, other)
	if deciding.RuleAction == types.RuleActionAllow {
		h.State, h.Reason = Allows, "entry "+h.Rule+" allows "+traffic
		return h
	}
	h.State, h.Reason = Blocks, "entry "+h.Rule+" denies "+traffic
	if number == LastEntry {
		h.Rule, h.Reason = "*", "no entry allows "+traffic
	}
	verb := "create"
	free := freeNumber(number, used)
	if free == 0 {
		verb, free = "replace", number
	}
	h.Fix = fmt.Sprintf("aws ec2 %s-network-acl-entry --network-acl-id %s --%s --rule-number %d --protocol tcp "+
		"--port-range From=%d,To=%d --cidr-block %s --rule-action allow",
		verb, h.ID, direction, free, to.from, to.to, other.cidr())
	return h
}

// decide returns the entry that denies a part of the ports, or else the one that allows the
// last part. entries are sorted, and those that match the peer and the protocol.
func decide(entries []types.NetworkAclEntry, all ports) types.NetworkAclEntry {
	open := []ports{all}
	for _, e := range entries {
		covered := ports{0, 65535}
		if e.PortRange != nil {
			covered = ports{int(aws.ToInt32(e.PortRange.From)), int(aws.ToInt32(e.PortRange.To))}
		}
		var rest []ports
		hit := false
		for _, p := range open {
			if covered.to < p.from || p.to < covered.from {
				rest = append(rest, p)
				continue
			}
			hit = true
			if p.from < covered.from {
				rest = append(rest, ports{p.from, covered.from - 1})
			}
			if covered.to < p.to {
				rest = append(rest, ports{covered.to + 1, p.to})
			}
		}
		if hit && (e.RuleAction == types.RuleActionDeny || len(rest) == 0) {
			return e
		}
		open = rest
	}
	return types.NetworkAclEntry{RuleNumber: aws.Int32(LastEntry), RuleAction: types.RuleActionDeny}
}

// freeNumber returns the number for an entry that decides before another: a round one after
// all others, if that is the last, or else the highest that is free. It returns 0 if none is.
func freeNumber(before int32, used map[int32]bool) int32 {
	if before == LastEntry {
		highest := int32(0)
		for n := range used {
			if n != LastEntry {
				highest = max(highest, n)
			}
		}
		if next := (highest/10 + 1) * 10; next < LastEntry {
			return max(next, 100)
		}
	}
	for n := before - 1; n > 0; n-- {
		if !used[n] {
			return n
		}
	}
	return 0
}
