//go:build linux

package network

import (
	"fmt"
	"net/netip"
	"slices"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// nftTable is the name of the nftables table in each namespace.
const nftTable = "aloft"

// applyFirewall writes the VPC's rulesets unless the kernel already has them.
func (r *router) applyFirewall(vpc VPC, desired map[string]attachment) error {
	f := firewallOf(vpc, desired)
	f.Flows = r.flows
	families := []firewall.Router{f}
	if len(vpc.IPv6) > 0 {
		families = append(families, firewall6Of(vpc, f, desired))
	}
	var rulesets, recorders []firewall.Ruleset
	for _, family := range families {
		rulesets = append(rulesets, family.Ruleset(nftTable))
		if recorder, ok := family.Recorder(); ok {
			recorders = append(recorders, recorder)
		}
	}
	if err := r.ruleset.set(r.namespace, rulesets...); err != nil {
		return fmt.Errorf("apply the firewall: %w", err)
	}
	return r.setRecorders(recorders)
}

// firewallOf describes the VPC's IPv4 to the firewall.
func firewallOf(vpc VPC, desired map[string]attachment) firewall.Router {
	f := firewall.Router{
		CIDRs: vpc.CIDRs, Uplink: uplink, Resolver: vpc.DNSSupport, SecurityGroups: vpc.SecurityGroups,
	}
	if vpc.routesIngress() {
		f.UplinkMark = ingressMark(vpc.ID)
	}
	for _, p := range vpc.Peers {
		f.Peers = append(f.Peers, firewall.Peer{
			Device: peerDevice(p.ID), CIDRs: ofFamily(p.CIDRs, firewall.IPv4),
		})
		f.Members = append(f.Members, p.Members...)
	}
	f.Subnets = vpc.filteredSubnets(firewall.IPv4)
	for _, i := range vpc.Interfaces {
		for _, address := range i.addresses() {
			f.Members = append(f.Members, firewall.Member{Private: address.Private, SecurityGroups: i.SecurityGroups})
		}
		for _, address := range i.IPv6 {
			f.Members = append(f.Members, firewall.Member{Private: address, SecurityGroups: i.SecurityGroups})
		}
		if a, ok := desired[i.ID]; ok {
			secondary := a.addresses[min(1, len(a.addresses)):]
			f.Interfaces = append(f.Interfaces, firewall.Interface{
				ID: i.ID, Device: a.device, Mark: subnetMark(i.SubnetID), Private: i.Private,
				Public: a.private().Public, Secondary: secondary, Intercepted: a.intercepted,
				SecurityGroups: i.SecurityGroups, SourceCheck: i.SourceDestCheck && !i.Balances, Cut: i.Cut,
				Rate: i.Rate, Translates: i.Translates, Balances: i.Balances, ReturnMark: returnMark(i.ID),
				Unfiltered: i.Unfiltered, Recording: i.Recording,
			})
		}
	}
	return f
}

// firewall6Of describes the VPC's IPv6 to the firewall, which is v4 for IPv4. No NAT gateway
// forwards IPv6, and nodes of load balancers with IPv6 addresses do.
func firewall6Of(vpc VPC, v4 firewall.Router, desired map[string]attachment) firewall.Router {
	f := v4
	f.Family, f.CIDRs = firewall.IPv6, vpc.IPv6
	f.Peers, f.Subnets, f.Interfaces = nil, vpc.filteredSubnets(firewall.IPv6), nil
	for _, p := range vpc.Peers {
		f.Peers = append(f.Peers, firewall.Peer{
			Device: peerDevice(p.ID), CIDRs: ofFamily(p.CIDRs, firewall.IPv6),
		})
	}
	for _, i := range v4.Interfaces {
		i.Private, i.Public, i.Secondary = netip.Addr{}, netip.Addr{}, nil
		a := desired[i.ID]
		balances := i.Balances && len(a.ipv6) > 0
		i.SourceCheck = i.SourceCheck || i.Translates || i.Balances && !balances
		i.Translates, i.Balances = false, balances
		for n, address := range a.ipv6 {
			of := firewall.Address{Private: address}
			if a.public6 {
				of.Public = address
			}
			if n == 0 {
				i.Private, i.Public = of.Private, of.Public
			} else {
				i.Secondary = append(i.Secondary, of)
			}
		}
		f.Interfaces = append(f.Interfaces, i)
	}
	return f
}

// filteredSubnets returns the VPC's subnets that have addresses of a family, as the firewall sees them.
func (vpc VPC) filteredSubnets(family firewall.Family) (subnets []firewall.Subnet) {
	for _, s := range vpc.Subnets {
		if block := s.block(family); block.IsValid() {
			subnets = append(subnets, firewall.Subnet{ID: s.ID, Mark: subnetMark(s.ID), CIDR: block, ACL: s.ACL})
		}
	}
	return subnets
}

// ofFamily returns the blocks of a family.
func ofFamily(blocks []netip.Prefix, family firewall.Family) []netip.Prefix {
	return slices.DeleteFunc(slices.Clone(blocks), func(p netip.Prefix) bool {
		return firewall.FamilyOf(p.Addr()) != family
	})
}
