package resource

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/stack"
)

func TestRulesSurviveConversionToEC2AndBack(t *testing.T) {
	for _, rule := range []stack.Rule{
		{Protocol: "tcp", First: 22, Last: 22, CIDR: "192.0.2.0/24"},
		{Protocol: "tcp", First: 3000, Last: 3000, GroupID: "sg-1"},
		{Protocol: stack.AllProtocols, CIDR: "0.0.0.0/0"},
		{Protocol: "udp", First: 10, Last: 20, CIDR: "::/0"},
		{Protocol: "icmp", First: -1, Last: -1, CIDR: "10.0.0.0/8"},
		{Protocol: "tcp", First: 443, Last: 443, PrefixListID: "pl-1"},
		stack.AllOutbound,
	} {
		p := permission(rule, "why")
		if got := rulesOf([]types.IpPermission{p}, rule.Egress); len(got) != 1 || got[0] != rule {
			t.Errorf("%s became %v", rule, got)
		}
	}
}
