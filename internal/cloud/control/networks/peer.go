//go:build linux

package networks

import (
	"slices"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/internal/cloud/store"
)

// peersOf returns the peers of a VPC.
func peersOf(view store.Reader, vpcID string) []network.Peer {
	var peers []network.Peer
	for _, row := range store.PeeringConnectionsByVPC.List(view, vpcID) {
		other, ok := store.VPCs.Get(view, row.Other(vpcID).VPCID)
		if row.State != store.PeeringActive || !ok {
			continue
		}
		peer := network.Peer{ID: row.ID, VPCID: other.ID, CIDRs: slices.Concat(other.Blocks(), other.IPv6Blocks())}
		for _, eni := range store.NetworkInterfacesInVPC(view, other.ID) {
			for _, address := range eni.Addresses() {
				peer.Members = append(
					peer.Members, firewall.Member{Private: address.Private, SecurityGroups: eni.GroupIDs},
				)
			}
			for _, address := range eni.IPv6 {
				peer.Members = append(peer.Members, firewall.Member{Private: address, SecurityGroups: eni.GroupIDs})
			}
		}
		peers = append(peers, peer)
	}
	return peers
}
