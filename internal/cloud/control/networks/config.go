// Package networks keeps the kernel's network as the store wants it.
package networks

import (
	"cmp"
	"net"
	"net/netip"
	"slices"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/internal/cloud/store"
)

// Config says what the network must be for the rows of the view. namespace
// tells the path of an instance's network namespace, empty when its machine
// has none. It is a pure function of the two: the same rows give the same
// configuration, in the same order.
func Config(view store.Reader, namespace func(instanceID string) string) network.Config {
	var config network.Config
	for _, vpc := range store.VPCs.List(view) {
		config.VPCs = append(config.VPCs, vpcOf(view, vpc, namespace))
	}
	return config
}

func vpcOf(view store.Reader, row *store.VPC, namespace func(string) string) network.VPC {
	gateways := map[string]bool{}
	for _, gateway := range store.InternetGateways.By(view, "vpc", row.ID) {
		gateways[gateway.ID] = true
	}
	vpc := network.VPC{
		ID: row.ID, Region: row.Region, CIDR: row.CIDR,
		Gateway: len(gateways) > 0, DNSSupport: row.DNSSupport,
	}
	tables := routesBySubnet(store.RouteTables.By(view, "vpc", row.ID), gateways)
	acls := aclsBySubnet(store.NetworkACLs.By(view, "vpc", row.ID))
	for _, subnet := range store.Subnets.By(view, "vpc", row.ID) {
		vpc.Subnets = append(vpc.Subnets, network.Subnet{
			ID: subnet.ID, CIDR: subnet.CIDR, Routes: tables.of(subnet.ID), ACL: acls[subnet.ID],
		})
	}
	for _, eni := range store.NetworkInterfaces.By(view, "vpc", row.ID) {
		vpc.Interfaces = append(vpc.Interfaces, interfaceOf(view, eni, namespace))
	}
	for _, group := range store.SecurityGroups.By(view, "vpc", row.ID) {
		vpc.SecurityGroups = append(vpc.SecurityGroups, groupOf(group))
	}
	return vpc
}

// routes are the effective routes of a VPC's subnets.
type routes struct {
	main     []network.Route
	explicit map[string][]network.Route
}

func (r routes) of(subnet string) []network.Route {
	if explicit, ok := r.explicit[subnet]; ok {
		return explicit
	}
	return r.main
}

func routesBySubnet(tables []*store.RouteTable, gateways map[string]bool) routes {
	r := routes{explicit: map[string][]network.Route{}}
	for _, table := range tables {
		lines := make([]network.Route, 0, len(table.Routes))
		for _, route := range table.Routes {
			lines = append(lines, network.Route{Destination: route.Destination, Via: via(route, gateways)})
		}
		for _, association := range table.Associations {
			if association.Main {
				r.main = lines
			} else {
				r.explicit[association.SubnetID] = lines
			}
		}
	}
	return r
}

// via resolves a route's target. A gateway that is not attached to this VPC
// swallows the traffic, as AWS's state "blackhole" says.
func via(route store.Route, gateways map[string]bool) network.Target {
	switch {
	case route.GatewayID == "local":
		return network.Local
	case gateways[route.GatewayID]:
		return network.Gateway
	}
	return network.Blackhole
}

func interfaceOf(view store.Reader, eni *store.NetworkInterface, namespace func(string) string) network.Interface {
	mac, err := net.ParseMAC(eni.MAC)
	if err != nil {
		mac = nil // the plane gives it one of its own
	}
	nic := network.Interface{
		ID: eni.ID, SubnetID: eni.SubnetID, MAC: mac, Private: eni.PrivateIP, Public: eni.PublicIP,
		SecurityGroups: slices.Sorted(slices.Values(eni.GroupIDs)), SourceDestCheck: eni.SourceDestCheck,
		OwnNamespace: eni.Type == "load_balancer",
	}
	if instance, ok := store.Instances.Get(view, eni.InstanceID); ok {
		nic.Namespace, nic.Cut = presence(instance, namespace)
	}
	return nic
}

// presence tells where an instance's interface is, and whether it is cut off.
// A machine that ends at once (terminated, or stopped by force) is cut off
// first: its peers then see silence, as they do when AWS takes an address away,
// and not the refusals of a kernel whose processes have died.
func presence(instance *store.Instance, namespace func(string) string) (path string, cut bool) {
	switch instance.State {
	case store.Stopped, store.Terminated:
		return "", false
	case store.ShuttingDown:
		cut = true
	case store.Stopping:
		cut = instance.Force
	}
	return namespace(instance.ID), cut
}

func groupOf(row *store.SecurityGroup) firewall.SecurityGroup {
	group := firewall.SecurityGroup{ID: row.ID}
	for _, rule := range row.Rules {
		if rule.GroupID == "" && !rule.CIDR.Addr().Is4() {
			continue // VPCs have no IPv6 range, so such a rule matches nothing
		}
		allowed := firewall.Rule{
			Protocol:      rule.Protocol,
			FromPort:      rule.FromPort,
			ToPort:        rule.ToPort,
			CIDR:          rule.CIDR,
			SecurityGroup: rule.GroupID,
		}
		if rule.Egress {
			group.Egress = append(group.Egress, allowed)
		} else {
			group.Ingress = append(group.Ingress, allowed)
		}
	}
	return group
}

// anywhere is the range of all IPv4 addresses.
var anywhere = netip.MustParsePrefix("0.0.0.0/0")

// allowsAll tells whether an access list lets everything pass, as a VPC's
// default list does until somebody changes it.
func allowsAll(entries []store.NetworkACLEntry) bool {
	var passes [2]bool
	for _, entry := range entries {
		direction := 0
		if entry.Egress {
			direction = 1
		}
		if passes[direction] {
			continue // decided by a lower number
		}
		if !entry.Allow {
			return false
		}
		passes[direction] = entry.Protocol == "-1" && entry.CIDR == anywhere
	}
	return passes[0] && passes[1]
}

// aclsBySubnet gives the access list of each subnet, none where all may pass.
func aclsBySubnet(rows []*store.NetworkACL) map[string]*firewall.ACL {
	bySubnet := map[string]*firewall.ACL{}
	for _, row := range rows {
		entries := slices.SortedFunc(
			slices.Values(row.Entries),
			func(a, b store.NetworkACLEntry) int { return cmp.Compare(a.Number, b.Number) },
		)
		if allowsAll(entries) {
			continue
		}
		list := aclOf(entries)
		for _, association := range row.Associations {
			bySubnet[association.SubnetID] = list
		}
	}
	return bySubnet
}

func aclOf(entries []store.NetworkACLEntry) *firewall.ACL {
	list := &firewall.ACL{}
	for _, entry := range entries {
		rule := firewall.ACLRule{
			Number: entry.Number, Allow: entry.Allow, Protocol: entry.Protocol,
			FromPort: entry.FromPort, ToPort: entry.ToPort, CIDR: entry.CIDR,
		}
		if entry.Protocol == "1" || entry.Protocol == "icmp" {
			rule.FromPort, rule.ToPort = entry.ICMPType, entry.ICMPCode
		}
		if entry.Egress {
			list.Egress = append(list.Egress, rule)
		} else {
			list.Ingress = append(list.Ingress, rule)
		}
	}
	return list
}
