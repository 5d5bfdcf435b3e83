package dnsname

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// Resolver resolves the names of instances, load balancers and endpoints from the store.
type Resolver struct {
	Store  *store.Store
	Number func(n int) int // returns a random number below n; nil: rand.IntN
}

// Addresses returns the IP addresses of a name as machines of the VPC see them.
// known reports whether the name is one of the local cloud's. The name of a new load
// balancer has no addresses until it is published.
func (r Resolver) Addresses(vpcID, name string) (addresses []netip.Addr, known bool) {
	view := r.Store.View()
	for _, lb := range store.LoadBalancers.List(view) {
		switch {
		case lb.DNSName != name:
		case time.Now().Before(lb.NamedAt):
			return nil, true
		default:
			return nodeAddresses(view, lb), true
		}
	}
	if addresses, known = endpointAddresses(view, vpcID, name); known {
		return addresses, true
	}
	vpc, ok := store.VPCs.Get(view, vpcID)
	if !ok || !strings.HasSuffix(name, "."+privateDomain(vpc.Region.Name())) {
		return nil, false
	}
	if id, ok := strings.CutSuffix(name, "."+privateDomain(vpc.Region.Name())); ok {
		if row, ok := store.Instances.Get(view, id); ok {
			return resourceAddresses(view, vpcID, row), true
		}
	}
	address, ok := privateAddress(name)
	if !ok || Private(vpc.Region.Name(), address) != name {
		return nil, true
	}
	for _, id := range append(namedPeers(view, vpcID), vpcID) {
		if _, ok := store.NetworkInterfaceInVPC(view, id, address); ok {
			addresses = append(addresses, address)
		}
	}
	return addresses, true
}

// resourceAddresses returns the addresses to which the resource name of an instance resolves in a VPC:
// its own, or a peer whose names resolve there.
func resourceAddresses(r store.Reader, vpcID string, row *store.Instance) (addresses []netip.Addr) {
	if row.VPCID != vpcID && !slices.Contains(namedPeers(r, vpcID), row.VPCID) || len(row.InterfaceIDs) == 0 {
		return nil
	}
	eni, ok := store.NetworkInterfaces.Get(r, row.InterfaceIDs[0])
	if !ok {
		return nil
	}
	if row.ResourceNames.A {
		addresses = append(addresses, eni.PrivateIP)
	}
	if row.ResourceNames.AAAA {
		addresses = append(addresses, eni.IPv6...)
	}
	return addresses
}

// namedPeers returns the ids of the VPCs whose names resolve in a VPC that they are peered
// with.
func namedPeers(r store.Reader, vpcID string) []string {
	var peers []string
	for _, row := range store.PeeringConnectionsByVPC.List(r, vpcID) {
		if other := row.Other(vpcID); row.State == store.PeeringActive && other.ResolvesNames {
			peers = append(peers, other.VPCID)
		}
	}
	return peers
}

// Synthesizes reports whether the subnet of a machine, which has an IP address in the VPC, has DNS64.
func (r Resolver) Synthesizes(vpcID string, machine netip.Addr) bool {
	view := r.Store.View()
	for _, subnet := range store.SubnetsByVPC.List(view, vpcID) {
		if subnet.CIDR.Contains(machine) || subnet.IPv6.CIDR.Contains(machine) {
			return subnet.DNS64
		}
	}
	return false
}

// Name returns the name of an IP address as machines of a VPC see it: of a private one in the VPC,
// or the reverse name of an Elastic IP address.
func (r Resolver) Name(vpcID string, address netip.Addr) (string, bool) {
	view := r.Store.View()
	if vpc, ok := store.VPCs.Get(view, vpcID); ok && vpc.Contains(address) {
		return Private(vpc.Region.Name(), address), true
	}
	for _, row := range store.ElasticIPs.List(view) {
		if row.PublicIP == address && row.ReverseName != "" {
			return row.ReverseName, true
		}
	}
	return "", false
}
