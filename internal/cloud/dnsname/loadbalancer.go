package dnsname

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/store"
)

// LoadBalancer returns the name of a load balancer: its name and a number, which
// keeps it unique, in its region below suffix. Names of internal load balancers
// begin with "internal-".
func LoadBalancer(name string, number int, region, suffix string, internal bool) string {
	dnsName := fmt.Sprintf("%s-%d.%s.%s", name, number, region, suffix)
	if internal {
		return "internal-" + dnsName
	}
	return dnsName
}

// NetworkLoadBalancer returns the name of a Network Load Balancer. Its region comes after the
// service, as in "web-0123456789abcdef.elb.us-east-1.amazonaws.com".
func NetworkLoadBalancer(name, id, region, suffix string) string {
	service, domain, _ := strings.Cut(suffix, ".")
	return fmt.Sprintf("%s-%s.%s.%s.%s", name, id, service, region, domain)
}

// nodeAddresses returns the addresses of a load balancer's nodes: the IPv6 ones, and of IPv4
// the public ones of an internet-facing one, or the private ones of an internal one. Nodes with
// too few healthy targets are absent, unless all nodes are such (Elastic Load Balancing User Guide).
func nodeAddresses(view store.Reader, lb *store.LoadBalancer) []netip.Addr {
	allFailedOver := !slices.ContainsFunc(lb.Nodes, func(n store.Node) bool { return !n.FailedOver })
	var addresses []netip.Addr
	for _, node := range lb.Nodes {
		if node.FailedOver && !allFailedOver {
			continue
		}
		eni, ok := store.NetworkInterfaces.Get(view, node.InterfaceID)
		switch {
		case !ok:
			continue
		case eni.PublicIP.IsValid():
			addresses = append(addresses, eni.PublicIP)
		case lb.IPAddressType == store.WithoutPublicIPv4: // clients resolve AAAA records alone
		default:
			addresses = append(addresses, eni.PrivateIP)
		}
		addresses = append(addresses, eni.IPv6...)
	}
	return slices.Compact(addresses)
}
