package resource

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/stack"
)

// allProtocols is EC2's protocol number for all protocols.
const allProtocols = "-1"

// rulesOf returns the rules in permissions that EC2 lists. egress says whether they
// are for outbound packets.
func rulesOf(permissions []types.IpPermission, egress bool) []stack.Rule {
	var rules []stack.Rule
	for _, p := range permissions {
		rule := stack.Rule{Protocol: aws.ToString(p.IpProtocol), Egress: egress}
		if rule.Protocol == allProtocols {
			rule.Protocol = stack.AllProtocols
		} else {
			rule.First, rule.Last = aws.ToInt32(p.FromPort), aws.ToInt32(p.ToPort)
		}
		for _, r := range p.IpRanges {
			rules = append(rules, withCIDR(rule, r.CidrIp))
		}
		for _, r := range p.Ipv6Ranges {
			rules = append(rules, withCIDR(rule, r.CidrIpv6))
		}
		for _, g := range p.UserIdGroupPairs {
			r := rule
			r.GroupID = aws.ToString(g.GroupId)
			rules = append(rules, r)
		}
		for _, l := range p.PrefixListIds {
			r := rule
			r.PrefixListID = aws.ToString(l.PrefixListId)
			rules = append(rules, r)
		}
	}
	return rules
}

func withCIDR(rule stack.Rule, cidr *string) stack.Rule {
	rule.CIDR = aws.ToString(cidr)
	return rule
}

// permission returns EC2's form of a rule, with a description unless it is "".
func permission(rule stack.Rule, description string) types.IpPermission {
	p := types.IpPermission{IpProtocol: &rule.Protocol, FromPort: &rule.First, ToPort: &rule.Last}
	if rule.Protocol == stack.AllProtocols {
		p.IpProtocol, p.FromPort, p.ToPort = aws.String(allProtocols), nil, nil
	}
	var text *string
	if description != "" {
		text = &description
	}
	switch {
	case rule.GroupID != "":
		p.UserIdGroupPairs = []types.UserIdGroupPair{{GroupId: &rule.GroupID, Description: text}}
	case rule.PrefixListID != "":
		p.PrefixListIds = []types.PrefixListId{{PrefixListId: &rule.PrefixListID, Description: text}}
	case strings.Contains(rule.CIDR, ":"):
		p.Ipv6Ranges = []types.Ipv6Range{{CidrIpv6: &rule.CIDR, Description: text}}
	default:
		p.IpRanges = []types.IpRange{{CidrIp: &rule.CIDR, Description: text}}
	}
	return p
}

func permissions(rules []stack.Rule) []types.IpPermission {
	all := make([]types.IpPermission, len(rules))
	for i, rule := range rules {
		all[i] = permission(rule, "")
	}
	return all
}

func ruleTexts(rules []stack.Rule) []string {
	texts := make([]string, len(rules))
	for i, rule := range rules {
		texts[i] = rule.String()
	}
	return texts
}
