package console

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/inventory"
)

// texts returns what is allowed, and after "no:" what is denied.
func texts(all []Allowance) (found []string) {
	for _, a := range all {
		text := a.Text
		if a.Denies {
			text = "no: " + text
		}
		found = append(found, text)
	}
	return found
}

// rule returns a rule of the security group sg-1. to is its last port, or 0 if it has one alone.
func rule(change func(*types.SecurityGroupRule), protocol string, from, to int32) types.SecurityGroupRule {
	r := types.SecurityGroupRule{
		GroupId: aws.String("sg-1"), SecurityGroupRuleId: aws.String("sgr-1"), IpProtocol: &protocol,
		IsEgress: aws.Bool(false), FromPort: &from, ToPort: aws.Int32(max(from, to)),
	}
	change(&r)
	return r
}

func TestSecurityGroupsInWords(t *testing.T) {
	block := func(cidr string) func(*types.SecurityGroupRule) {
		return func(r *types.SecurityGroupRule) { r.CidrIpv4 = &cidr }
	}
	group := func(id string) func(*types.SecurityGroupRule) {
		return func(r *types.SecurityGroupRule) {
			r.ReferencedGroupInfo = &types.ReferencedSecurityGroup{GroupId: &id}
		}
	}
	out := func(r *types.SecurityGroupRule) { r.IsEgress, r.CidrIpv4 = aws.Bool(true), aws.String("0.0.0.0/0") }
	i := &inventory.Inventory{
		SecurityGroups: []types.SecurityGroup{
			{GroupId: aws.String("sg-1"), GroupName: aws.String("servers")},
			{GroupId: aws.String("sg-2"), GroupName: aws.String("bastions")},
			{GroupId: aws.String("sg-3"), GroupName: aws.String("balancers")},
		},
		LoadBalancers: []inventory.LoadBalancer{{LoadBalancer: elbtypes.LoadBalancer{
			VpcId: aws.String("vpc-1"), LoadBalancerName: aws.String("shop"), SecurityGroups: []string{"sg-3"},
		}}},
	}
	for name, c := range map[string]struct {
		rules []types.SecurityGroupRule
		want  []string
	}{
		"none":          {nil, []string{"no: nothing in"}},
		"what AWS adds": {[]types.SecurityGroupRule{rule(out, "-1", -1, -1)}, []string{"no: nothing in"}},
		"anywhere": {
			[]types.SecurityGroupRule{rule(block("0.0.0.0/0"), "tcp", 80, 0), rule(out, "-1", -1, -1)},
			[]string{"tcp 80 from anywhere"},
		},
		"others": {
			[]types.SecurityGroupRule{
				rule(group("sg-3"), "tcp", 3000, 0), rule(group("sg-2"), "tcp", 22, 0),
				rule(group("sg-1"), "-1", -1, -1),
				rule(block("192.0.2.7/32"), "udp", 8000, 8010), rule(block("10.0.0.0/16"), "icmp", -1, -1),
				rule(func(r *types.SecurityGroupRule) { r.CidrIpv6 = aws.String("::/0") }, "tcp", 0, 65535),
				rule(func(r *types.SecurityGroupRule) { r.PrefixListId = aws.String("pl-1") }, "50", -1, -1),
				rule(out, "tcp", 443, 0),
			},
			[]string{
				"all tcp from anywhere over IPv6", "all traffic from members of the same group",
				"icmp from 10.0.0.0/16",
				"protocol 50 from prefix list pl-1", "tcp 22 from bastions", "tcp 3000 from the load balancer",
				"udp 8000-8010 from 192.0.2.7", "tcp 443 to anywhere",
			},
		},
	} {
		i.Rules = c.rules
		f := newFirewall(i)
		if diff := cmp.Diff(c.want, texts(f.ofGroups([]string{"sg-1"}))); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
		if all := f.allowedBy("sg-1"); len(all) != len(c.rules) || len(all) > 0 && all[0].ID != "sgr-1" {
			t.Errorf("%s: the page of the group lists %v", name, all)
		}
	}
	if all := newFirewall(i).ofGroups(nil); all != nil {
		t.Errorf("of no groups: %v", all)
	}
}

func TestSeveralLoadBalancersAreNamed(t *testing.T) {
	i := &inventory.Inventory{}
	for _, name := range []string{"shop", "blog"} {
		i.LoadBalancers = append(i.LoadBalancers, inventory.LoadBalancer{LoadBalancer: elbtypes.LoadBalancer{
			VpcId: aws.String("vpc-1"), LoadBalancerName: &name, SecurityGroups: []string{"sg-" + name},
		}})
	}
	if got := groupNames(i)["sg-blog"]; got != "load balancer blog" {
		t.Errorf("got %q", got)
	}
}

func TestNetworkACLsInWords(t *testing.T) {
	entry := func(number int32, out, allow bool, protocol string, port int32) types.NetworkAclEntry {
		e := types.NetworkAclEntry{
			RuleNumber: &number, Egress: &out, Protocol: &protocol, CidrBlock: aws.String("0.0.0.0/0"),
			RuleAction: types.RuleActionDeny,
		}
		if allow {
			e.RuleAction = types.RuleActionAllow
		}
		if port > 0 {
			e.PortRange = &types.PortRange{From: &port, To: &port}
		}
		return e
	}
	last := []types.NetworkAclEntry{entry(32767, false, false, "-1", 0), entry(32767, true, false, "-1", 0)}
	for name, c := range map[string]struct {
		entries []types.NetworkAclEntry
		want    []string
	}{
		"default": {
			[]types.NetworkAclEntry{entry(100, false, true, "-1", 0), entry(100, true, true, "-1", 0)},
			[]string{"ACL: all traffic in and out"},
		},
		"of a drill": {nil, []string{"no: ACL: nothing in", "no: ACL: nothing out"}},
		"order": {
			[]types.NetworkAclEntry{
				entry(200, false, true, "-1", 0), entry(100, false, false, "6", 22), entry(100, true, true, "17", 53),
			},
			[]string{
				"no: ACL: no tcp 22 from anywhere", "ACL: all traffic from anywhere", "ACL: udp 53 to anywhere",
				"no: ACL: nothing else out",
			},
		},
	} {
		f := newFirewall(&inventory.Inventory{NetworkACLs: []types.NetworkAcl{{
			NetworkAclId: aws.String("acl-1"), Entries: append(c.entries, last...),
			Associations: []types.NetworkAclAssociation{{SubnetId: aws.String("subnet-1")}},
		}}})
		all := f.ofSubnet("subnet-1")
		if diff := cmp.Diff(c.want, texts(all)); diff != "" || all[0].ID != "acl-1" {
			t.Errorf("%s: %v (-want +got)\n%s", name, all, diff)
		}
		other, own := f.ofSubnet("subnet-2"), f.allowedBy("acl-1")
		if other != nil || len(own) != len(c.want) {
			t.Errorf("%s: of a subnet without an ACL %v, of the ACL %v", name, other, own)
		}
	}
}
