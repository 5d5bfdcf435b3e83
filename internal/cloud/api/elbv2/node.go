package elbv2

import (
	"maps"
	"slices"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// placeNodes gives the load balancer one node in each of the subnets and deletes
// its other nodes. It changes lb and does not store it.
func (a *API) placeNodes(tx *store.Tx, lb *store.LoadBalancer, in []*store.Subnet) error {
	old := map[string]store.Node{}
	for _, n := range lb.Nodes {
		old[n.SubnetID] = n
	}
	lb.Nodes = nil
	for _, s := range in {
		if n, ok := old[s.ID]; ok {
			lb.Nodes = append(lb.Nodes, n)
			delete(old, s.ID)
			continue
		}
		request := addressing.InterfaceSpec{
			Subnet: s, GroupIDs: lb.GroupIDs, Description: "ELB " + arnResource(lb.ARN, "loadbalancer"),
			LoadBalancerARN: lb.ARN, AttachedAt: a.now(),
		}
		if lb.Scheme == internetFacing {
			request.PublicFrom = a.public
		}
		nic, err := addressing.NewInterface(tx, a.ids, request)
		if err != nil {
			return wire.Errorf("InvalidSubnet", "Cannot place a load balancer in %s: %s", s.ID, err)
		}
		lb.Nodes = append(lb.Nodes, store.Node{Zone: s.Zone, SubnetID: s.ID, InterfaceID: nic.ID})
	}
	a.releaseNodes(tx, lb.ARN, slices.Collect(maps.Values(old)))
	return nil
}

// releaseNodes deletes the network interfaces of a load balancer's former nodes, or
// makes the balancers loop delete them after a while.
func (a *API) releaseNodes(tx *store.Tx, arn string, nodes []store.Node) {
	released := a.manners.Until(a.now(), manners.ReleaseInterfaces, arn)
	for _, n := range nodes {
		if released.IsZero() {
			store.NetworkInterfaces.Delete(tx, n.InterfaceID)
			continue
		}
		store.NetworkInterfaces.Edit(tx, n.InterfaceID, func(row *store.NetworkInterface) { row.ReleasedAt = released })
	}
}
