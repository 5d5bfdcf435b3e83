package stack

import "testing"

func TestRuleString(t *testing.T) {
	for want, rule := range map[string]Rule{
		"tcp 22 from 192.0.2.0/24":            {Protocol: "tcp", First: 22, Last: 22, CIDR: "192.0.2.0/24"},
		"tcp 3000 from sg-1":                  {Protocol: "tcp", First: 3000, Last: 3000, GroupID: "sg-1"},
		"tcp 443 from pl-1":                   {Protocol: "tcp", First: 443, Last: 443, PrefixListID: "pl-1"},
		"udp 10-20 from ::/0":                 {Protocol: "udp", First: 10, Last: 20, CIDR: "::/0"},
		"icmp -1 from 10.0.0.0/8":             {Protocol: "icmp", First: -1, Last: -1, CIDR: "10.0.0.0/8"},
		"all to 0.0.0.0/0":                    AllOutbound,
		"tcp 3000 from security-group-web.id": {Protocol: "tcp", First: 3000, Last: 3000, Group: id(AddressWebGroup)},
		"all from 0.0.0.0/0":                  {Protocol: AllProtocols, CIDR: "0.0.0.0/0"},
	} {
		if got := rule.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
