//go:build linux

package network

import (
	"fmt"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// nftTable is the name of the nftables table in each namespace.
const nftTable = "aloft"

// applyFirewall writes the VPC's ruleset unless the kernel already has it.
func (r *router) applyFirewall(vpc VPC, desired map[string]attachment) error {
	f := firewallOf(vpc, desired)
	f.Flows = r.flows
	if err := r.ruleset.set(r.namespace, f.Ruleset(nftTable)); err != nil {
		return fmt.Errorf("apply the firewall: %w", err)
	}
	return nil
}

// firewallOf describes the VPC to the firewall.
func firewallOf(vpc VPC, desired map[string]attachment) firewall.Router {
	f := firewall.Router{
		CIDRs: vpc.CIDRs, Uplink: uplink, Resolver: vpc.DNSSupport, SecurityGroups: vpc.SecurityGroups,
	}
	for _, p := range vpc.Peers {
		f.Peers = append(f.Peers, firewall.Peer{Device: peerDevice(p.ID), CIDRs: p.CIDRs})
		f.Members = append(f.Members, p.Members...)
	}
	for _, s := range vpc.Subnets {
		f.Subnets = append(f.Subnets, firewall.Subnet{ID: s.ID, Mark: subnetMark(s.ID), CIDR: s.CIDR, ACL: s.ACL})
	}
	for _, i := range vpc.Interfaces {
		for _, address := range i.addresses() {
			f.Members = append(f.Members, firewall.Member{Private: address.Private, SecurityGroups: i.SecurityGroups})
		}
		if a, ok := desired[i.ID]; ok {
			f.Interfaces = append(f.Interfaces, firewall.Interface{
				ID: i.ID, Device: a.device, Mark: subnetMark(i.SubnetID), Private: i.Private,
				Public: a.addresses[0].Public, Secondary: a.addresses[1:],
				SecurityGroups: i.SecurityGroups, SourceCheck: i.SourceDestCheck, Cut: i.Cut, Rate: i.Rate,
				Translates: i.Translates,
			})
		}
	}
	return f
}
