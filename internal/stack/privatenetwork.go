package stack

import (
	"fmt"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/price"
	"aloft.dev/aloft/internal/spec"
)

func privateSubnetAddress(n int) string     { return fmt.Sprintf("private-subnet-%d", n) }
func privateRouteTableAddress(n int) string { return fmt.Sprintf("private-route-table-%d", n) }

// addPrivateNetwork adds the subnets of the servers, one a zone, each with a route table
// of its own, and the NAT gateways that are their way out.
func (b *builder) addPrivateNetwork() {
	network, vpc := b.spec.Network, id(AddressVPC)
	for i := range network.NATGateways() {
		n := i + 1
		b.add(elasticIPAddress(n), "", ElasticIP{})
		b.add(natGatewayAddress(n), "", NatGateway{
			Subnet: id(subnetAddress(n)), ElasticIP: id(elasticIPAddress(n)), Internet: id(AddressInternetGateway),
			Zone: b.zones[i], Region: b.spec.Region,
		})
	}
	for i, subnet := range network.Subnets {
		address := privateSubnetAddress(i + 1)
		b.add(address, "", Subnet{VPC: vpc, CIDR: subnet.Private, Zone: b.zones[i], Private: true})
		table := RouteTable{VPC: vpc, Subnets: []Ref{id(address)}, Private: true}
		if gateways := network.NATGateways(); gateways > 0 {
			table.Gateway = id(natGatewayAddress(min(i+1, gateways)))
		}
		b.add(privateRouteTableAddress(i+1), "", table)
	}
}

// serverSubnets returns the subnets in which servers are launched.
func (b *builder) serverSubnets() []Ref {
	if !b.spec.Network.Private {
		return b.subnets()
	}
	all := make([]Ref, len(b.zones))
	for i := range all {
		all[i] = id(privateSubnetAddress(i + 1))
	}
	return all
}

// publicRoutes returns the route tables that the public subnets need to reach the internet.
// Those of a network that exists are there.
func (b *builder) publicRoutes() []Ref {
	if b.spec.Network.Exists() {
		return nil
	}
	return []Ref{id(AddressRouteTable)}
}

// serverRoutes returns the route tables that servers need to reach the outside. Those
// behind NAT gateways need the gateways' own way out, too.
func (b *builder) serverRoutes() []Ref {
	all := b.publicRoutes()
	if b.spec.Network.Private && !b.spec.Network.Exists() {
		for i := range b.zones {
			all = append(all, id(privateRouteTableAddress(i+1)))
		}
	}
	return all
}

// checkWayOut refuses an environment that servers cannot read: they fetch it from
// Parameter Store when they start.
func checkWayOut(s *spec.Spec, facts Facts) error {
	if !s.Network.Private || s.Network.NAT != spec.NATNone || facts.Environment == nil ||
		len(facts.Environment.Names()) == 0 {
		return nil
	}
	return diag.List{{
		Where:   "network.nat",
		Summary: "none leaves the servers without a way to Parameter Store, from which they read their variables",
		Hint:    "use nat: zone or nat: single; or remove the variables, also those of aloft env",
	}}
}

// NetworkNotes returns what a person should know before the network of a spec is made.
func NetworkNotes(s *spec.Spec) []string {
	if !s.Network.Private || s.Network.Exists() {
		return nil
	}
	zones := len(s.Network.Subnets)
	switch s.Network.NAT {
	case spec.NATNone:
		return []string{"network.nat: none: the servers open no connection to anything outside the VPC."}
	case spec.NATSingle:
		note := fmt.Sprintf("network.nat: single: if the zone of the one NAT gateway fails, the servers in all "+
			"%d zones lose their way out", zones)
		prices := price.Table(s.Region)
		hour, known := prices.Of(price.NatGateway)
		if address, ok := prices.Of(price.Address); ok && known {
			note += fmt.Sprintf("; nat: zone costs about $%.0f a month more",
				float64(zones-1)*(hour+address)*price.HoursPerMonth)
		}
		return []string{note + "."}
	}
	return nil
}
