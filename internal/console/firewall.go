package console

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/inventory"
	"aloft.dev/aloft/internal/reachability"
)

// Allowance describes in words what security groups or network ACLs let pass or deny.
type Allowance struct {
	Text   string // "tcp 80 from anywhere"
	ID     string // of a resource whose page says more; "" for none
	Denies bool
}

// firewall says what the security groups and network ACLs of an inventory let pass.
type firewall struct {
	groups  map[string][]groupRule
	acls    map[string]*types.NetworkAcl
	subnets map[string]string // their network ACLs
}

// groupRule is a rule of a security group in words.
type groupRule struct {
	Allowance

	out bool
}

// anything is the text of the rule that AWS gives every security group.
const anything = "all traffic to anywhere"

func newFirewall(i *inventory.Inventory) *firewall {
	f := &firewall{
		groups: map[string][]groupRule{}, acls: map[string]*types.NetworkAcl{}, subnets: map[string]string{},
	}
	names := groupNames(i)
	for _, rule := range i.Rules {
		id := aws.ToString(rule.GroupId)
		f.groups[id] = append(f.groups[id], groupRule{
			Allowance{Text: ruleText(rule, names), ID: aws.ToString(rule.SecurityGroupRuleId)},
			aws.ToBool(rule.IsEgress),
		})
	}
	for _, rules := range f.groups {
		slices.SortStableFunc(rules, func(a, b groupRule) int {
			return cmp.Or(compareBool(a.out, b.out), cmp.Compare(a.Text, b.Text))
		})
	}
	for n := range i.NetworkACLs {
		acl := &i.NetworkACLs[n]
		f.acls[aws.ToString(acl.NetworkAclId)] = acl
		for _, a := range acl.Associations {
			f.subnets[aws.ToString(a.SubnetId)] = aws.ToString(acl.NetworkAclId)
		}
	}
	return f
}

// groupNames returns what security groups are called: those of a load balancer by that.
func groupNames(i *inventory.Inventory) map[string]string {
	names, balancers := map[string]string{}, map[string][]string{}
	for _, g := range i.SecurityGroups {
		names[aws.ToString(g.GroupId)] = cmp.Or(nameOf(g.Tags), aws.ToString(g.GroupName))
	}
	perVPC := map[string]int{}
	for _, lb := range i.LoadBalancers {
		perVPC[aws.ToString(lb.VpcId)]++
		for _, id := range lb.SecurityGroups {
			balancers[id] = append(balancers[id], aws.ToString(lb.LoadBalancerName))
		}
	}
	for _, lb := range i.LoadBalancers {
		for _, id := range lb.SecurityGroups {
			names[id] = "load balancer " + strings.Join(balancers[id], ", ")
			if perVPC[aws.ToString(lb.VpcId)] == 1 {
				names[id] = "the load balancer"
			}
		}
	}
	return names
}

// ruleText describes a rule of a security group: "tcp 3000 from the load balancer".
func ruleText(rule types.SecurityGroupRule, names map[string]string) string {
	whom := cmp.Or(block(rule.CidrIpv4), block(rule.CidrIpv6), "prefix list "+aws.ToString(rule.PrefixListId))
	if peer := rule.ReferencedGroupInfo; peer != nil {
		id := aws.ToString(peer.GroupId)
		whom = cmp.Or(names[id], id)
		if id == aws.ToString(rule.GroupId) {
			whom = "members of the same group"
		}
	}
	traffic := reachability.Traffic(rule.IpProtocol, rule.FromPort, rule.ToPort)
	return traffic + direction(aws.ToBool(rule.IsEgress)) + whom
}

func direction(out bool) string {
	if out {
		return " to "
	}
	return " from "
}

// block describes the addresses of a CIDR block, or returns "".
func block(cidr *string) string {
	prefix, err := netip.ParsePrefix(aws.ToString(cidr))
	switch {
	case err != nil:
		return ""
	case prefix.Bits() == 0 && prefix.Addr().Is6():
		return "anywhere over IPv6"
	case prefix.Bits() == 0:
		return "anywhere"
	case prefix.IsSingleIP():
		return prefix.Addr().String()
	}
	return prefix.String()
}

// ofGroups says what security groups together let pass, with links to them. That all may leave
// goes without saying.
func (f *firewall) ofGroups(ids []string) (all []Allowance) {
	in := false
	for _, id := range ids {
		for _, rule := range f.groups[id] {
			in = in || !rule.out
			said := slices.ContainsFunc(all, func(a Allowance) bool { return a.Text == rule.Text })
			if !said && rule.Text != anything {
				all = append(all, Allowance{Text: rule.Text, ID: id})
			}
		}
	}
	if !in && len(ids) > 0 {
		all = append(all, Allowance{Text: "nothing in", ID: ids[0], Denies: true})
	}
	return all
}

// ofSubnet says what the network ACL of a subnet lets pass, with links to it.
func (f *firewall) ofSubnet(id string) []Allowance {
	acl := f.acls[f.subnets[id]]
	if acl == nil {
		return nil
	}
	all := entries(acl)
	for i := range all {
		all[i].Text, all[i].ID = "ACL: "+all[i].Text, aws.ToString(acl.NetworkAclId)
	}
	return all
}

// entries describes what a network ACL lets pass, in the order in which its entries decide.
func entries(acl *types.NetworkAcl) []Allowance {
	in, out := entriesOf(acl, false), entriesOf(acl, true)
	if len(in) == 1 && !in[0].Denies && len(out) == 1 && !out[0].Denies {
		return []Allowance{{Text: "all traffic in and out"}}
	}
	return append(in, out...)
}

// entriesOf describes the entries of one direction. What none of them is about is denied.
func entriesOf(acl *types.NetworkAcl, out bool) (all []Allowance) {
	sorted := slices.DeleteFunc(slices.Clone(acl.Entries), func(e types.NetworkAclEntry) bool {
		return aws.ToBool(e.Egress) != out || aws.ToInt32(e.RuleNumber) == reachability.LastEntry
	})
	slices.SortFunc(sorted, func(a, b types.NetworkAclEntry) int {
		return cmp.Compare(aws.ToInt32(a.RuleNumber), aws.ToInt32(b.RuleNumber))
	})
	rest := true // something is left that no entry is about
	for _, e := range sorted {
		text, denies := entryText(e), e.RuleAction == types.RuleActionDeny
		all = append(all, Allowance{Text: text, Denies: denies})
		rest = rest && strings.TrimPrefix(text, "no ") != "all traffic"+direction(out)+"anywhere"
	}
	way := map[bool]string{false: "in", true: "out"}[out]
	switch {
	case len(all) == 0:
		all = append(all, Allowance{Text: "nothing " + way, Denies: true})
	case rest:
		all = append(all, Allowance{Text: "nothing else " + way, Denies: true})
	}
	return all
}

// entryText describes an entry of a network ACL: "tcp 80 from anywhere", "no tcp 22 from anywhere".
func entryText(e types.NetworkAclEntry) string {
	var from, to *int32
	if e.PortRange != nil {
		from, to = e.PortRange.From, e.PortRange.To
	}
	text := fmt.Sprint(reachability.Traffic(e.Protocol, from, to), direction(aws.ToBool(e.Egress)),
		cmp.Or(block(e.CidrBlock), block(e.Ipv6CidrBlock)))
	if e.RuleAction == types.RuleActionDeny {
		return "no " + text
	}
	return text
}

// allowedBy says what a security group, with links to its rules, or a network ACL lets pass. It
// is nil for other resources.
func (f *firewall) allowedBy(id string) (all []Allowance) {
	if acl := f.acls[id]; acl != nil {
		return entries(acl)
	}
	for _, rule := range f.groups[id] {
		all = append(all, rule.Allowance)
	}
	return all
}
