//go:build linux

package network

import (
	"slices"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// routesIngress reports whether the VPC's internet gateway has routes besides the local ones.
func (vpc VPC) routesIngress() bool {
	return vpc.Gateway && slices.ContainsFunc(vpc.Ingress, func(entry Route) bool { return entry.Via != Local })
}

// intercepted returns the IDs of the subnets for whose addresses of a family the routes of the
// internet gateway lead to an interface first.
func (vpc VPC) intercepted(family firewall.Family) map[string]bool {
	all := map[string]bool{}
	if !vpc.routesIngress() {
		return all
	}
	for _, s := range vpc.Subnets {
		block := s.block(family)
		if slices.ContainsFunc(vpc.Ingress, func(entry Route) bool {
			return entry.Via != Local && block.IsValid() && covers(entry.Destination, block)
		}) {
			all[s.ID] = true
		}
	}
	return all
}

// ingressRoutes returns the routes of what comes from the internet gateway. One to an interface
// without a public address is a black hole (Amazon VPC User Guide, Gateway route tables).
func (r *router) ingressRoutes(vpc VPC) (all []route) {
	if !vpc.routesIngress() {
		return nil
	}
	for _, entry := range vpc.Ingress {
		isIPv6 := entry.Destination.Addr().Is6()
		if entry.Via == Local || isIPv6 && !r.ipv6 {
			continue
		}
		hop := route{}
		if isIPv6 || vpc.isPublic(entry.Interface) {
			hop = r.nextHop(entry)
		}
		hop.table, hop.to = int(ingressMark(vpc.ID)), entry.Destination.Masked()
		all = append(all, hop)
	}
	return all
}

// isPublic reports whether an interface has a public IPv4 address.
func (vpc VPC) isPublic(id string) bool {
	return slices.ContainsFunc(vpc.Interfaces, func(i Interface) bool {
		has := func(a firewall.Address) bool { return a.Public.IsValid() }
		return i.ID == id && slices.ContainsFunc(i.addresses(), has)
	})
}
