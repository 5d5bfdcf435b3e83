package stack_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/environment"
	"aloft.dev/aloft/internal/golden"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
)

// guest returns a spec with private servers, reached through an endpoint, in a network that
// exists, and that network.
func guest() (*spec.Spec, *stack.ExistingNetwork) {
	const text = "app: shop\nstart: node .\nsource: {git: https://example.com/shop}\n" +
		"machines: {count: 2}\nsecurity: {access: endpoint}\nnetwork:\n  vpc: vpc-00000001\n  subnets:\n" +
		"    {public: [subnet-0000000b, subnet-0000000a], private: [subnet-0000001a, subnet-0000001b]}\n"
	s, err := spec.Parse([]byte(text), spec.FileName, ".")
	if err != nil {
		panic(err)
	}
	n := &stack.ExistingNetwork{ID: "vpc-00000001", Available: true, DNSSupport: true, DNSNames: true}
	for i, id := range []string{"0a", "0b", "1a", "1b"} {
		subnet := stack.ExistingSubnet{
			ID: "subnet-000000" + id, VPC: n.ID, Zone: "us-east-1" + id[1:], RouteTable: "rtb-1",
			CIDR: netip.MustParsePrefix(fmt.Sprintf("10.0.%d.0/24", i)), WayOut: "igw-1",
		}
		if id[0] == '1' {
			subnet.WayOut = "tgw-1"
		}
		n.Subnets = append(n.Subnets, subnet)
	}
	n.Endpoints = []stack.ExistingEndpoint{{
		ID: "eice-1", State: stack.StateConnectable, Groups: []string{"sg-1", "sg-2"}, App: "other",
		Outbound: []stack.Rule{{Protocol: "tcp", First: 22, Last: 22, Egress: true, CIDR: "10.0.0.0/16"}},
	}}
	return s, n
}

func guestFacts(n *stack.ExistingNetwork) stack.Facts {
	return stack.Facts{
		Network: n, Zones: offers("t3.micro", "t3.micro"), Release: "0123456789ab", Phase: stack.PhaseServe,
	}
}

func TestStackInAnExistingNetwork(t *testing.T) {
	s, n := guest()
	built, err := stack.Build(s, guestFacts(n))
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "testdata/existing-network.golden", built.String()+strings.Join(n.Notes(s), "\n")+"\n")
	inOrder(t, "an existing network", built)
}

func TestReasonsAgainstAnExistingNetwork(t *testing.T) {
	variables := func(f *stack.Facts) {
		f.Environment = &environment.Environment{Secrets: map[string]string{"KEY": "secretsmanager:key"}}
		f.Network.Subnets[2].WayOut = ""
	}
	for want, edit := range map[string]func(*stack.Facts){
		"": func(*stack.Facts) {},
		"us-east-1b, where subnet-0000000b is, does not offer t3.micro": func(f *stack.Facts) {
			f.Zones = offers("t3.micro", "t2.micro")
		},
		"us-east-1b, where subnet-0000000b is, does": func(f *stack.Facts) { f.Zones = offers("t3.micro") },
		"subnet-0000000a has 10.0.0.0/28": func(f *stack.Facts) {
			f.Network.Subnets[0].CIDR = netip.MustParsePrefix("10.0.0.0/28")
		},
		"the default route of subnet-0000001a, in rtb-1, leads to tgw-1, which is gone": func(f *stack.Facts) {
			f.Network.Subnets[2].Blackhole = true
		},
		"the default route of subnet-0000000b, in rtb-1, leads to something, which": func(f *stack.Facts) {
			f.Network.Subnets[1].Blackhole, f.Network.Subnets[1].WayOut = true, ""
		},
		"no endpoint of ssm, secretsmanager": variables,
		"no endpoint of secretsmanager,": func(f *stack.Facts) {
			variables(f)
			f.Network.Services = []string{"logs", "ssm"}
		},
		"no endpoint of ssm,": func(f *stack.Facts) {
			variables(f)
			f.Network.Services, f.Network.DNSNames = []string{"ssm", "secretsmanager"}, false
		},
		"eice-1, the endpoint of the VPC, keeps the addresses": func(f *stack.Facts) {
			f.Network.Endpoints[0].KeepsAddress = true
		},
		"eice-1, the endpoint of the VPC, is in the state create-in-progress": func(f *stack.Facts) {
			f.Network.Endpoints[0].State = "create-in-progress"
		},
		"the security groups of eice-1 let nothing out to port 22 in 10.0.3.0/24": func(f *stack.Facts) {
			f.Network.Endpoints[0].Outbound[0].CIDR = "10.0.0.0/23"
		},
	} {
		s, n := guest()
		facts := guestFacts(n)
		edit(&facts)
		_, err := stack.Build(s, facts)
		if text := problemText(err); (err != nil) != (want != "") || !strings.Contains(text, want) {
			t.Errorf("got %q, want %q", text, want)
		}
	}
	s, n := guest()
	n.OwnEndpoint, n.Endpoints[0].KeepsAddress = true, true
	built, err := stack.Build(s, guestFacts(n))
	if err != nil {
		t.Fatal(err)
	}
	group, _ := built.Get(stack.AddressConnectGroup)
	if got := len(group.Body.(stack.SecurityGroup).Outbound); got != 4 {
		t.Errorf("the endpoint of its own lets SSH out to %d subnets", got)
	}
}
