//go:build linux

package network

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
)

// connectPeers connects the router with those of the VPC's peers. A peer's firewall drops what
// comes from a device that it does not know, so either of the two may come first.
func (r *router) connectPeers(vpc VPC, others map[string]*router, present map[string]netlink.Link) error {
	var problems error
	r.peers = map[string]int{}
	for _, peer := range vpc.Peers {
		name := peerDevice(peer.ID)
		index, err := r.connectPeer(others[peer.VPCID], name, present[name])
		if err != nil {
			problems = errors.Join(problems, fmt.Errorf("connect with %s: %w", peer.VPCID, err))
			continue
		}
		r.peers[peer.ID] = index
	}
	return problems
}

// connectPeer connects the router with another one by devices of one name, and returns the
// index of its own. near is that device if it exists, or nil.
func (r *router) connectPeer(other *router, name string, near netlink.Link) (int, error) {
	if other == nil {
		return 0, errors.New("it has no router")
	}
	far, err := other.netlink.LinkByName(name)
	if near != nil && (err != nil || !paired(near, far)) {
		if err := r.removeDevice(near); err != nil {
			return 0, err
		}
		near = nil
	}
	if near == nil {
		if near, far, err = createPair(r.namespace, name, other.namespace, name, nil, r.mtu); err != nil {
			return 0, err
		}
	}
	if err := setUpPair(end{r.namespace, near}, end{other.namespace, far}); err != nil {
		return 0, err
	}
	// Routes lead to the same address on both sides. Neither router has it itself.
	var problems error
	for _, own := range r.addresses.shared(r.namespace, other.namespace) {
		problems = errors.Join(problems,
			keepNeighbor(end{r.namespace, near}, own.edge, far),
			keepNeighbor(end{other.namespace, far}, own.edge, near),
		)
	}
	return near.Attrs().Index, problems
}
