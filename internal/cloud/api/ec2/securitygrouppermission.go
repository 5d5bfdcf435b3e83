package ec2

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const (
	anyProtocol = "-1"
	maxPort     = 65535
)

func ipv4(p netip.Prefix) string {
	if p.IsValid() && p.Addr().Is4() {
		return p.String()
	}
	return ""
}

func ipv6(p netip.Prefix) string {
	if p.IsValid() && p.Addr().Is6() {
		return p.String()
	}
	return ""
}

func portText(rule store.SecurityGroupRule, port int) string {
	if rule.Protocol == anyProtocol {
		return ""
	}
	return strconv.Itoa(port)
}

// permissions merges rules of a group for one direction into EC2's permissions: one for each
// protocol and port range, with all its sources.
func permissions(group *store.SecurityGroup, rules []store.SecurityGroupRule, egress bool) []types.IpPermission {
	out := []types.IpPermission{}
	at := map[string]int{}
	for _, rule := range rules {
		if rule.Egress != egress {
			continue
		}
		key := fmt.Sprint(rule.Protocol, rule.FromPort, ":", rule.ToPort)
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, newPermission(rule))
		}
		addSource(&out[i], group, rule)
	}
	return out
}

func newPermission(rule store.SecurityGroupRule) types.IpPermission {
	p := types.IpPermission{
		IpProtocol: aws.String(rule.Protocol), IpRanges: []types.IpRange{}, Ipv6Ranges: []types.Ipv6Range{},
		PrefixListIds: []types.PrefixListId{}, UserIdGroupPairs: []types.UserIdGroupPair{},
	}
	if hasPorts(rule.Protocol) {
		p.FromPort, p.ToPort = aws.Int32(int32(rule.FromPort)), aws.Int32(int32(rule.ToPort))
	}
	return p
}

// hasPorts reports whether rules for a protocol have ports, or the type and the code of ICMP.
// Other rules allow all that the protocol carries, whatever ports a request has (Amazon EC2
// API Reference, IpPermission).
func hasPorts(protocol string) bool {
	switch protocol {
	case "tcp", "udp", "icmp", "icmpv6":
		return true
	}
	return false
}

// ownerOfReference returns the account of the group that a rule of a group refers to.
func ownerOfReference(group *store.SecurityGroup, rule store.SecurityGroupRule) string {
	return cmp.Or(rule.GroupOwner, group.Region.Account())
}

func addSource(p *types.IpPermission, group *store.SecurityGroup, rule store.SecurityGroupRule) {
	var description *string
	if rule.Description != "" {
		description = aws.String(rule.Description)
	}
	switch {
	case rule.GroupID != "":
		p.UserIdGroupPairs = append(p.UserIdGroupPairs, types.UserIdGroupPair{
			GroupId:                aws.String(rule.GroupID),
			UserId:                 aws.String(ownerOfReference(group, rule)),
			VpcId:                  optionalString(rule.PeerVPCID),
			VpcPeeringConnectionId: optionalString(rule.PeeringID),
			Description:            description,
		})
	case rule.PrefixListID != "":
		p.PrefixListIds = append(p.PrefixListIds, types.PrefixListId{
			PrefixListId: aws.String(rule.PrefixListID), Description: description,
		})
	case rule.CIDR.Addr().Is4():
		p.IpRanges = append(p.IpRanges, types.IpRange{CidrIp: aws.String(rule.CIDR.String()), Description: description})
	default:
		p.Ipv6Ranges = append(
			p.Ipv6Ranges,
			types.Ipv6Range{CidrIpv6: aws.String(rule.CIDR.String()), Description: description},
		)
	}
}

// parsePermissions returns the rules that permissions stand for, one for each source,
// without ids.
func parsePermissions(
	r store.Reader,
	group *store.SecurityGroup,
	requested []types.IpPermission,
) ([]store.SecurityGroupRule, error) {
	var rules []store.SecurityGroupRule
	for _, permission := range requested {
		rule, err := protocolAndPorts(permission.IpProtocol, permission.FromPort, permission.ToPort)
		if err != nil {
			return nil, err
		}
		sources, err := parseSources(r, group, permission)
		if err != nil {
			return nil, err
		}
		for _, source := range sources {
			source.Protocol, source.FromPort, source.ToPort = rule.Protocol, rule.FromPort, rule.ToPort
			if slices.ContainsFunc(rules, func(other store.SecurityGroupRule) bool { return sameRule(other, source) }) {
				return nil, wire.Errorf("InvalidParameterValue", "The same permission must not appear multiple times")
			}
			rules = append(rules, source)
		}
	}
	return rules, nil
}

// sameRule reports whether two rules of one direction allow the same traffic.
// Descriptions do not matter.
func sameRule(a, b store.SecurityGroupRule) bool {
	return a.Protocol == b.Protocol && a.FromPort == b.FromPort && a.ToPort == b.ToPort && a.CIDR == b.CIDR &&
		a.GroupID == b.GroupID && a.PrefixListID == b.PrefixListID
}

// protocolAndPorts returns a rule with the protocol and the ports only.
func protocolAndPorts(name *string, from, to *int32) (store.SecurityGroupRule, error) {
	if aws.ToString(name) == "" {
		return store.SecurityGroupRule{}, wire.Errorf(
			"InvalidParameterValue",
			"Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly.",
		)
	}
	protocol, err := securityGroupProtocol(*name)
	if err != nil {
		return store.SecurityGroupRule{}, err
	}
	rule := store.SecurityGroupRule{Protocol: protocol, FromPort: -1, ToPort: -1}
	switch protocol {
	case "tcp", "udp":
		return withPortRange(rule, from, to)
	case "icmp", "icmpv6":
		return withICMPType(rule, from, to)
	}
	return rule, nil
}

// withPortRange returns the rule with a port range of TCP or UDP.
func withPortRange(rule store.SecurityGroupRule, from, to *int32) (store.SecurityGroupRule, error) {
	if from == nil || to == nil {
		return rule, wire.Errorf(
			"InvalidParameterValue",
			"Invalid value for portRange. Must specify both from and to ports with TCP/UDP.",
		)
	}
	for _, port := range []int32{*from, *to} {
		if port < 0 || port > maxPort {
			return rule, wire.Errorf("InvalidParameterValue", "TCP/UDP port (%d) out of range", port)
		}
	}
	if *from > *to {
		return rule, wire.Errorf("InvalidParameterValue", "Invalid TCP/UDP port range (%d:%d)", *from, *to)
	}
	rule.FromPort, rule.ToPort = int(*from), int(*to)
	return rule, nil
}

// withICMPType returns the rule with a type and a code of ICMP, which a rule keeps as
// its ports. -1 and nil mean all.
func withICMPType(rule store.SecurityGroupRule, kind, code *int32) (store.SecurityGroupRule, error) {
	for _, n := range []*int32{kind, code} {
		if n != nil && (*n < -1 || *n > 255) {
			return rule, wire.Errorf("InvalidParameterValue", "ICMP type or code (%d) out of range", *n)
		}
	}
	if kind != nil {
		rule.FromPort = int(*kind)
	}
	if code != nil {
		rule.ToPort = int(*code)
	}
	return rule, nil
}

// securityGroupProtocol returns a protocol as security groups show it.
func securityGroupProtocol(name string) (string, error) {
	switch name = strings.ToLower(name); name {
	case "tcp", "6":
		return "tcp", nil
	case "udp", "17":
		return "udp", nil
	case "icmp", "1":
		return "icmp", nil
	case "icmpv6", "58":
		return "icmpv6", nil
	case "all", anyProtocol:
		return anyProtocol, nil
	}
	if n, err := strconv.Atoi(name); err != nil || n < 0 || n > 255 {
		return "", wire.Errorf("InvalidParameterValue", "Invalid value '%s' for IP protocol. Unknown protocol.", name)
	}
	return name, nil
}

// parseSources returns a rule for each source or destination of a permission, with the
// source and its description only.
func parseSources(
	r store.Reader,
	group *store.SecurityGroup,
	permission types.IpPermission,
) ([]store.SecurityGroupRule, error) {
	var out []store.SecurityGroupRule
	for _, source := range permission.IpRanges {
		block, err := parseSourceCIDR(source.CidrIp, netip.Addr.Is4)
		if err != nil {
			return nil, err
		}
		out = append(out, store.SecurityGroupRule{CIDR: block, Description: aws.ToString(source.Description)})
	}
	for _, source := range permission.Ipv6Ranges {
		block, err := parseSourceCIDR(source.CidrIpv6, netip.Addr.Is6)
		if err != nil {
			return nil, err
		}
		out = append(out, store.SecurityGroupRule{CIDR: block, Description: aws.ToString(source.Description)})
	}
	for _, source := range permission.UserIdGroupPairs {
		other, err := referencedGroup(r, group, source)
		if err != nil {
			return nil, err
		}
		rule := store.SecurityGroupRule{GroupID: other.ID, Description: aws.ToString(source.Description)}
		if peering := activePeering(r, group.VPCID, other.VPCID); peering != nil {
			rule.PeerVPCID, rule.PeeringID = other.VPCID, peering.ID
		}
		if owner := other.Region.Account(); owner != group.Region.Account() {
			rule.GroupOwner = owner
		}
		out = append(out, rule)
	}
	for _, source := range permission.PrefixListIds {
		list, err := prefixLists.get(r, group.Region, aws.ToString(source.PrefixListId))
		if err != nil {
			return nil, err
		}
		out = append(out, store.SecurityGroupRule{PrefixListID: list.ID, Description: aws.ToString(source.Description)})
	}
	if len(out) == 0 {
		return nil, missingParameter("cidrIp, cidrIpv6, prefixListId or groupId")
	}
	for _, rule := range out {
		if !validGroupText(rule.Description) {
			return nil, invalidRuleDescription()
		}
	}
	return out, nil
}

func invalidRuleDescription() error {
	return wire.Errorf(
		"InvalidParameterValue",
		"Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  "+
			"a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
	)
}

func parseSourceCIDR(text *string, family func(netip.Addr) bool) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(aws.ToString(text))
	if err != nil || !family(p.Addr()) {
		return netip.Prefix{}, wire.Errorf("InvalidParameterValue", "CIDR block %s is malformed", aws.ToString(text))
	}
	return p.Masked(), nil
}

// referencedGroup returns the security group that a rule names as its source. It must
// belong to the same VPC, or to one that is peered with it.
func referencedGroup(
	r store.Reader, group *store.SecurityGroup, source types.UserIdGroupPair,
) (*store.SecurityGroup, error) {
	if err := supportOnly(
		source, "UserId", "GroupId", "GroupName", "Description", "VpcId", "VpcPeeringConnectionId",
	); err != nil {
		return nil, err
	}
	if aws.ToString(source.GroupId) == "" {
		if aws.ToString(source.GroupName) == "" {
			return nil, missingParameter("groupId")
		}
		if other, ok := groupNamed(r, group.VPCID, *source.GroupName); ok {
			return other, nil
		}
		return nil, securityGroups.notFound(*source.GroupName)
	}
	where := group.Region
	if user := aws.ToString(source.UserId); user != "" {
		where = identity.RegionOf(user, where.Name())
	}
	other, err := securityGroups.get(r, where, *source.GroupId)
	if err != nil {
		return nil, err
	}
	peering := activePeering(r, group.VPCID, other.VPCID)
	vpc, connection := aws.ToString(source.VpcId), aws.ToString(source.VpcPeeringConnectionId)
	if vpc != "" && vpc != other.VPCID || connection != "" && (peering == nil || connection != peering.ID) {
		return nil, securityGroups.notFound(other.ID)
	}
	if other.VPCID != group.VPCID && peering == nil {
		return nil, wire.Errorf(
			"InvalidGroup.NotFound",
			"You have specified two resources that belong to different networks.",
		)
	}
	return other, nil
}
