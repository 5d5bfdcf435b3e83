package elbv2

import (
	"maps"
	"net/netip"
	"slices"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// placeNodes gives the load balancer one node at each of the places, whose subnets are
// given in their order, and deletes its other nodes. It changes lb and does not store it.
func (a *API) placeNodes(tx *store.Tx, lb *store.LoadBalancer, places []place, in []*store.Subnet) error {
	old := map[string]store.Node{}
	for _, n := range lb.Nodes {
		old[n.SubnetID] = n
	}
	lb.Nodes = nil
	for i, s := range in {
		if n, ok := old[s.ID]; ok {
			n, err := a.withChosenIPv6(tx, places[i], s, n)
			if err != nil {
				return err
			}
			if places[i].isNamed() && !places[i].has(tx, n) {
				return wire.Errorf(
					"InvalidConfigurationRequest", "The addresses of the enabled subnet '%s' cannot be changed", s.ID,
				)
			}
			lb.Nodes = append(lb.Nodes, n)
			delete(old, s.ID)
			continue
		}
		n, err := a.newNode(tx, lb, places[i], s)
		if err != nil {
			return err
		}
		lb.Nodes = append(lb.Nodes, n)
	}
	a.releaseNodes(tx, lb.ARN, slices.Collect(maps.Values(old)))
	return nil
}

// withChosenIPv6 gives a node that has no IPv6 address the one that the request chose, if it did.
func (a *API) withChosenIPv6(tx *store.Tx, p place, s *store.Subnet, n store.Node) (store.Node, error) {
	nic, ok := store.NetworkInterfaces.Get(tx, n.InterfaceID)
	if !ok || !p.ipv6.IsValid() || nic.FirstIPv6().IsValid() {
		return n, nil
	}
	if _, err := addressing.AddIPv6(tx, a.ids, nic, s, []netip.Addr{p.ipv6}, 0); err != nil {
		return n, cannotPlace(s, err)
	}
	n.ChosenIPv6 = true
	return n, nil
}

// cannotPlace returns the error for a node that cannot be in a subnet.
func cannotPlace(s *store.Subnet, err error) error {
	return wire.Errorf("InvalidSubnet", "Cannot place a load balancer in %s: %s", s.ID, err)
}

// newNode creates a load balancer's network interface at a place, which is in the subnet.
func (a *API) newNode(tx *store.Tx, lb *store.LoadBalancer, p place, s *store.Subnet) (store.Node, error) {
	address, err := p.elasticIP(tx, lb.Region)
	if err != nil {
		return store.Node{}, err
	}
	request := addressing.InterfaceSpec{
		Subnet: s, PrivateIP: p.private, GroupIDs: lb.GroupIDs,
		Description: "ELB " + arnResource(lb.ARN, "loadbalancer"), LoadBalancerARN: lb.ARN, Network: lb.IsNetwork(),
		AttachedAt: a.now(),
	}
	if lb.HasPublicIPv4() && address == nil {
		request.PublicFrom = a.public
	}
	switch {
	case p.ipv6.IsValid():
		request.IPv6 = []netip.Addr{p.ipv6}
	case lb.HasIPv6():
		request.FreeIPv6 = 1
	}
	nic, err := addressing.NewInterface(tx, a.ids, request)
	if err != nil {
		return store.Node{}, cannotPlace(s, err)
	}
	if address != nil {
		addressing.Associate(tx, a.ids, address, nic, nic.PrivateIP)
	}
	return store.Node{
		Zone: s.Zone, SubnetID: s.ID, InterfaceID: nic.ID,
		ChosenIP: p.private.IsValid(), ChosenIPv6: p.ipv6.IsValid(),
	}, nil
}

// releaseNodes deletes the network interfaces of a load balancer's former nodes, or
// makes the balancers loop delete them after a while.
func (a *API) releaseNodes(tx *store.Tx, arn string, nodes []store.Node) {
	released := a.manners.Until(a.now(), manners.ReleaseInterfaces, arn)
	for _, n := range nodes {
		if released.IsZero() {
			addressing.DeleteInterface(tx, n.InterfaceID)
			continue
		}
		store.NetworkInterfaces.Edit(tx, n.InterfaceID, func(row *store.NetworkInterface) { row.ReleasedAt = released })
	}
}
