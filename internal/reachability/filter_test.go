package reachability

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/inventory"
)

// entry returns an entry of a network ACL for what enters. The ports are all if from is 0.
func entry(number int32, action types.RuleAction, cidr, protocol string, from, to int32) types.NetworkAclEntry {
	e := types.NetworkAclEntry{
		RuleNumber: &number, RuleAction: action, CidrBlock: &cidr, Protocol: &protocol, Egress: aws.Bool(false),
	}
	if from > 0 {
		e.PortRange = &types.PortRange{From: &from, To: &to}
	}
	return e
}

func TestFirstEntryOfANetworkACLDecides(t *testing.T) {
	const any4, allow, deny = "0.0.0.0/0", types.RuleActionAllow, types.RuleActionDeny
	last := entry(LastEntry, deny, any4, "-1", 0, 0)
	for name, c := range map[string]struct {
		entries []types.NetworkAclEntry
		ports   ports
		rule    string
		state   State
		fix     string
	}{
		"default": {
			[]types.NetworkAclEntry{entry(100, allow, any4, "-1", 0, 0), last}, ports{80, 80}, "100", Allows, "",
		},
		"nothing matches": {
			[]types.NetworkAclEntry{last, entry(100, allow, any4, "6", 443, 443), entry(110, allow, any4, "17", 0, 0)},
			ports{80, 80}, "*", Blocks, "create-network-acl-entry --network-acl-id acl-1 --ingress --rule-number 120 ",
		},
		"order of numbers": {
			[]types.NetworkAclEntry{
				entry(100, allow, any4, "-1", 0, 0), entry(90, deny, "10.0.0.0/8", "6", 80, 90), last,
			},
			ports{80, 80}, "90", Blocks,
			"--rule-number 89 --protocol tcp --port-range From=80,To=80 --cidr-block 10.1.2.3/32",
		},
		"another source": {
			[]types.NetworkAclEntry{
				entry(90, deny, "192.0.2.0/24", "-1", 0, 0), entry(100, allow, any4, "-1", 0, 0), last,
			},
			ports{80, 80}, "100", Allows, "",
		},
		"part of a range is denied": {
			[]types.NetworkAclEntry{entry(90, deny, any4, "6", 40000, 40001), entry(100, allow, any4, "6", 0, 0), last},
			linuxPorts, "90", Blocks, "--rule-number 89",
		},
		"two entries allow the range": {
			[]types.NetworkAclEntry{
				entry(90, allow, any4, "6", 40000, 50000), entry(95, deny, any4, "6", 45000, 46000),
				entry(100, allow, any4, "6", 1024, 65535), last,
			},
			linuxPorts, "100", Allows, "",
		},
		"no number is free": {
			[]types.NetworkAclEntry{entry(1, deny, any4, "-1", 0, 0), last}, ports{80, 80}, "1", Blocks,
			"replace-network-acl-entry --network-acl-id acl-1 --ingress --rule-number 1 ",
		},
	} {
		w := &world{&inventory.Inventory{NetworkACLs: []types.NetworkAcl{{
			NetworkAclId: aws.String("acl-1"), Entries: c.entries,
			Associations: []types.NetworkAclAssociation{{SubnetId: aws.String("subnet-1")}},
		}}}}
		h := w.acl("subnet-1", peer{address: netip.MustParseAddr("10.1.2.3")}, c.ports, false)
		if h.ID != "acl-1" || h.Rule != c.rule || h.State != c.state || !strings.Contains(h.Fix, c.fix) ||
			(c.fix == "") != (h.Fix == "") {
			t.Errorf("%s: %+v, want rule %s, %s, %q", name, h, c.rule, c.state, c.fix)
		}
	}
	if h := (&world{&inventory.Inventory{}}).acl("subnet-1", peer{}, ports{1, 1}, true); h.State != Unknown {
		t.Errorf("without a network ACL: %+v", h)
	}
}

func TestSecurityGroupRulesMatch(t *testing.T) {
	rule := func(id, protocol string, from, to int32, cidr, group, list string) types.SecurityGroupRule {
		r := types.SecurityGroupRule{
			SecurityGroupRuleId: &id, GroupId: aws.String("sg-1"), IsEgress: aws.Bool(false), IpProtocol: &protocol,
			FromPort: &from, ToPort: &to,
		}
		switch {
		case cidr != "":
			r.CidrIpv4 = &cidr
		case group != "":
			r.ReferencedGroupInfo = &types.ReferencedSecurityGroup{GroupId: &group}
		default:
			r.PrefixListId = &list
		}
		return r
	}
	w := &world{&inventory.Inventory{Rules: []types.SecurityGroupRule{
		rule("sgr-1", "tcp", 80, 90, "10.0.0.0/8", "", ""), rule("sgr-2", "udp", 53, 53, "0.0.0.0/0", "", ""),
		rule("sgr-3", "tcp", 443, 443, "", "sg-2", ""), rule("sgr-4", "-1", -1, -1, "192.0.2.7/32", "", ""),
		rule("sgr-5", "tcp", 22, 22, "", "", "pl-1"),
	}}}
	nic := &types.NetworkInterface{
		NetworkInterfaceId: aws.String("eni-1"), Groups: []types.GroupIdentifier{{GroupId: aws.String("sg-1")}},
	}
	inside := peer{netip.MustParseAddr("10.0.1.5"), []string{"sg-2"}}
	outside := peer{address: netip.MustParseAddr("192.0.2.8")}
	for _, c := range []struct {
		from  peer
		port  uint16
		rule  string
		state State
		fix   string
	}{
		{inside, 85, "sgr-1", Allows, ""},
		{inside, 91, "", Blocks, "UserIdGroupPairs=[{GroupId=sg-2}]"},
		{inside, 443, "sgr-3", Allows, ""},
		{outside, 443, "", Blocks, "IpRanges=[{CidrIp=192.0.2.8/32}]"},
		{outside, 53, "", Blocks, "IpProtocol=tcp,FromPort=53,ToPort=53"},
		{peer{address: netip.MustParseAddr("192.0.2.7")}, 9, "sgr-4", Allows, ""},
		{peer{}, 80, "", Blocks, "CidrIp=0.0.0.0/0"},
		{outside, 22, "sgr-5", Unknown, ""},
	} {
		h := w.groups(nic, c.from, c.port, false)
		if h.Rule != c.rule || h.State != c.state || !strings.Contains(h.Fix, c.fix) || (c.fix == "") != (h.Fix == "") {
			t.Errorf("%s to %d: %+v, want %+v", c.from, c.port, h, c)
		}
	}
}

func TestProbeIsStrongerThanRules(t *testing.T) {
	const one = "192.0.2.7"
	hops := func(states ...State) (all []Hop) {
		for _, s := range states {
			all = append(all, Hop{State: s, Kind: GroupIn, At: "eni-1"})
		}
		return all
	}
	for _, c := range []struct {
		hops    []Hop
		from    string
		outcome Outcome
		want    State
	}{
		{hops(Allows, Allows), one, "", Allows},
		{hops(Allows, Unknown), one, "", Unknown},
		{hops(Unknown, Blocks), one, "", Blocks},
		{hops(Allows), one, TimedOut, Blocks},
		{hops(Unknown), one, Connected, Allows},
		{hops(Unknown), one, TimedOut, Unknown},
		{hops(Blocks), "", Connected, Blocks},
		{hops(Allows), "", TimedOut, Blocks},
	} {
		p := Path{Hops: c.hops, From: End{Address: c.from}}
		facts := Facts{Drops: []Drops{{GroupIn, "eni-1", Count{1, 3}}, {GroupIn, "eni-2", Count{5, 6}}}}
		if c.outcome != "" {
			facts.Probe = &Probe{Outcome: c.outcome}
		}
		p.observe(facts)
		if p.State != c.want {
			t.Errorf("%+v after %q is %s, want %s", c.hops, c.outcome, p.State, c.want)
		}
		if d := p.Hops[0].Dropped; d == nil || *d != (Count{1, 3}) {
			t.Errorf("dropped %+v", d)
		}
	}
}
