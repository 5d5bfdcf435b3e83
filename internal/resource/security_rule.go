package resource

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Rules are texts: "tcp 22 from 192.0.2.0/24", "tcp 3000 from sg-1",
// "all to 0.0.0.0/0". What a stack wants and what the cloud holds are compared
// in this form, and changes are made from it.

// ruleTexts gives the rules in the permissions that EC2 lists. The preposition
// is "from" for rules of packets that come in and "to" for those that go out.
func ruleTexts(permissions []types.IpPermission, preposition string) []string {
	var rules []string
	for _, p := range permissions {
		head := aws.ToString(p.IpProtocol)
		if head == "-1" {
			head = "all"
		} else if first, last := aws.ToInt32(p.FromPort), aws.ToInt32(p.ToPort); first == last {
			head += fmt.Sprintf(" %d", first)
		} else {
			head += fmt.Sprintf(" %d-%d", first, last)
		}
		head += " " + preposition + " "
		for _, r := range p.IpRanges {
			rules = append(rules, head+aws.ToString(r.CidrIp))
		}
		for _, r := range p.Ipv6Ranges {
			rules = append(rules, head+aws.ToString(r.CidrIpv6))
		}
		for _, g := range p.UserIdGroupPairs {
			rules = append(rules, head+aws.ToString(g.GroupId))
		}
		for _, l := range p.PrefixListIds {
			rules = append(rules, head+aws.ToString(l.PrefixListId))
		}
	}
	return rules
}

// permission is the reverse of ruleTexts, for one rule.
func permission(rule, description string) (types.IpPermission, error) {
	fields := strings.Fields(rule)
	if len(fields) < 3 {
		return types.IpPermission{}, fmt.Errorf("%q is not a rule", rule)
	}
	var p types.IpPermission
	p.IpProtocol = aws.String(fields[0])
	if fields[0] == "all" {
		p.IpProtocol = aws.String("-1")
	}
	if len(fields) == 4 {
		first, last, isRange := strings.Cut(fields[1], "-")
		if first == "" { // ICMP's "any" is -1
			first, last = fields[1], fields[1]
		} else if !isRange {
			last = first
		}
		from, err1 := strconv.ParseInt(first, 10, 32)
		to, err2 := strconv.ParseInt(last, 10, 32)
		if err1 != nil || err2 != nil {
			return p, fmt.Errorf("%q is not a rule", rule)
		}
		p.FromPort, p.ToPort = aws.Int32(int32(from)), aws.Int32(int32(to))
	}
	var why *string
	if description != "" {
		why = aws.String(description)
	}
	switch peer := fields[len(fields)-1]; {
	case strings.HasPrefix(peer, "sg-"):
		p.UserIdGroupPairs = []types.UserIdGroupPair{{GroupId: &peer, Description: why}}
	case strings.HasPrefix(peer, "pl-"):
		p.PrefixListIds = []types.PrefixListId{{PrefixListId: &peer, Description: why}}
	case strings.Contains(peer, ":"):
		p.Ipv6Ranges = []types.Ipv6Range{{CidrIpv6: &peer, Description: why}}
	default:
		p.IpRanges = []types.IpRange{{CidrIp: &peer, Description: why}}
	}
	return p, nil
}

func permissions(rules []string, description string) ([]types.IpPermission, error) {
	all := make([]types.IpPermission, len(rules))
	for i, rule := range rules {
		var err error
		if all[i], err = permission(rule, description); err != nil {
			return nil, err
		}
	}
	return all, nil
}
