//go:build linux && root

package network

import (
	"net"
	"net/netip"
	"slices"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

var (
	world     = netip.MustParsePrefix("0.0.0.0/0")
	openGroup = firewall.SecurityGroup{
		ID: "sg-open", Ingress: []firewall.Rule{allTraffic(world)}, Egress: []firewall.Rule{allTraffic(world)},
	}
)

func allTraffic(from netip.Prefix) firewall.Rule {
	return firewall.Rule{Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: from}
}

func tcpRule(port int, from string) firewall.Rule {
	return firewall.Rule{Protocol: "tcp", FromPort: port, ToPort: port, CIDR: netip.MustParsePrefix(from)}
}

// newVPC returns a VPC of 10.0.0.0/16 with two subnets, without filtering and without an
// internet gateway.
func newVPC(id string, interfaces ...Interface) VPC {
	local := []Route{{Destination: netip.MustParsePrefix("10.0.0.0/16"), Via: Local}}
	return VPC{
		ID: id, Region: "us-east-1", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}, DNSSupport: true,
		Subnets: []Subnet{
			{ID: "subnet-a" + id, CIDR: netip.MustParsePrefix("10.0.1.0/24"), Routes: local},
			{ID: "subnet-b" + id, CIDR: netip.MustParsePrefix("10.0.2.0/24"), Routes: local},
		},
		Interfaces: interfaces, SecurityGroups: []firewall.SecurityGroup{openGroup},
	}
}

// withGateway returns the VPC with an internet gateway and default routes to it.
func withGateway(v VPC) VPC {
	v.Gateway = true
	v.Subnets = slices.Clone(v.Subnets)
	for i := range v.Subnets {
		toInternet := Route{Destination: world, Via: Gateway}
		v.Subnets[i].Routes = append(slices.Clone(v.Subnets[i].Routes), toInternet)
	}
	return v
}

// eni returns an interface in the subnet of its address (10.0.1.x: a, 10.0.2.x: b).
// Its default security group is openGroup.
func eni(vpc, private, namespace string, securityGroups ...string) Interface {
	addr := netip.MustParseAddr(private)
	b := addr.As4()
	if len(securityGroups) == 0 {
		securityGroups = []string{openGroup.ID}
	}
	return Interface{
		ID: "eni-" + vpc + private, SubnetID: "subnet-" + string('a'+rune(b[2])-1) + vpc,
		MAC:     net.HardwareAddr{2, 0, b[0], b[1], b[2], b[3]},
		Private: addr, SecurityGroups: securityGroups, Namespace: namespace, SourceDestCheck: true,
	}
}

// withPublicIP returns the interface with a public address.
func withPublicIP(i Interface, addr string) Interface {
	i.Public = netip.MustParseAddr(addr)
	return i
}
