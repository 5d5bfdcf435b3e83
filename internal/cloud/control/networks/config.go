//go:build linux

package networks

import (
	"slices"

	"aloft.dev/aloft/internal/cloud/bandwidth"
	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/internal/cloud/store"
)

// Config returns the network's configuration for the rows. namespace returns the path
// of an instance's network namespace, or "" if its machine has none. limit says what limits the
// machines' bandwidth. The same rows and
// paths result in the same configuration, in the same order.
func Config(
	view store.Reader, namespace func(instanceID string) string, limit bandwidth.Setting,
) network.Config {
	var config network.Config
	for _, vpc := range store.VPCs.List(view) {
		config.VPCs = append(config.VPCs, vpcConfig(view, vpc, namespace, limit))
	}
	return config
}

func vpcConfig(
	view store.Reader, row *store.VPC, namespace func(string) string, limit bandwidth.Setting,
) network.VPC {
	gateways, egressOnly := map[string]bool{}, map[string]bool{}
	for _, gateway := range store.InternetGatewaysByVPC.List(view, row.ID) {
		gateways[gateway.ID] = true
	}
	vpc := network.VPC{
		ID: row.ID, Region: row.Region.Name(), CIDRs: row.Blocks(), IPv6: row.IPv6Blocks(),
		Gateway: len(gateways) > 0, DNSSupport: row.DNSSupport,
	}
	for _, gateway := range store.EgressOnlyGatewaysByVPC.List(view, row.ID) {
		vpc.EgressOnly = true
		egressOnly[gateway.ID] = true
	}
	forwarding, interfaces := map[string]string{}, map[string]bool{}
	for _, eni := range store.NetworkInterfacesInVPC(view, row.ID) {
		interfaces[eni.ID] = true
		if gateway, ok := store.NatGateways.Get(view, eni.NatGatewayID); ok && gateway.Forwards() {
			forwarding[gateway.ID] = eni.ID
		}
	}
	vpc.Peers = peersOf(view, row.ID)
	active := map[string]bool{}
	for _, peer := range vpc.Peers {
		active[peer.ID] = true
	}
	routes := routesOf(
		store.RouteTablesByVPC.List(view, row.ID), targets{
			gateways, egressOnly, forwarding, active, interfaces, slices.Concat(vpc.CIDRs, vpc.IPv6), view,
		},
	)
	vpc.Ingress = routes.ingress
	acls := aclsBySubnet(store.NetworkACLsByVPC.List(view, row.ID), len(vpc.IPv6) > 0)
	for _, subnet := range store.SubnetsByVPC.List(view, row.ID) {
		vpc.Subnets = append(vpc.Subnets, network.Subnet{
			ID: subnet.ID, CIDR: subnet.CIDR, IPv6: subnet.IPv6.CIDR,
			Routes: routes.of(subnet.ID), ACL: acls[subnet.ID],
		})
	}
	for _, eni := range store.NetworkInterfacesInVPC(view, row.ID) {
		vpc.Interfaces = append(vpc.Interfaces, interfaceConfig(view, eni, namespace, limit))
	}
	for _, group := range store.SecurityGroupsByVPC.List(view, row.ID) {
		vpc.SecurityGroups = append(vpc.SecurityGroups, securityGroupConfig(view, group))
	}
	return vpc
}
