//go:build linux

package networks_test

import (
	"net/netip"
	"slices"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestRoutesLeadToActivePeersAndToTheBlocksOfPrefixLists(t *testing.T) {
	other, office := netip.MustParsePrefix("10.9.0.0/16"), netip.MustParsePrefix("192.0.2.0/24")
	for state, want := range map[string]network.Target{
		store.PeeringActive: network.PeerVPC, store.PeeringPending: network.Blackhole,
		store.PeeringDeleted: network.Blackhole,
	} {
		vpc := configOf(t, func(tx *store.Tx) {
			store.VPCs.Put(tx, &store.VPC{ID: "vpc-2", Region: "r", CIDR: other})
			store.Subnets.Put(tx, &store.Subnet{ID: "subnet-2", Region: "r", VPCID: "vpc-2", CIDR: other})
			store.NetworkInterfaces.Put(tx, &store.NetworkInterface{
				ID: "eni-2", Region: "r", VPCID: "vpc-2", SubnetID: "subnet-2",
				PrivateIP: other.Addr().Next(), GroupIDs: []string{"sg-2"},
			})
			store.PeeringConnections.Put(tx, &store.PeeringConnection{
				ID: "pcx-1", Region: "r", State: state,
				Requester: store.PeeringSide{VPCID: "vpc-2"}, Accepter: store.PeeringSide{VPCID: "vpc-1"},
			})
			store.PrefixLists.Put(tx, &store.PrefixList{
				ID: "pl-1", Region: "r", Versions: [][]store.PrefixListEntry{{{CIDR: office}}},
			})
			store.VPCEndpoints.Put(tx, &store.VPCEndpoint{ID: "vpce-1", Region: "r", VPCID: "vpc-1"})
			store.RouteTables.Put(tx, &store.RouteTable{
				ID: "rtb-1", Region: "r", VPCID: "vpc-1", Associations: []store.RouteTableAssociation{{Main: true}},
				Routes: []store.Route{
					{Destination: other, PeeringID: "pcx-1"}, {PrefixListID: "pl-1", GatewayID: "igw-gone"},
					{PrefixListID: "pl-1", GatewayID: "vpce-1"},
				},
			})
			addSubnet(tx, "subnet-1")
		})
		routes := vpc.Subnets[0].Routes
		if len(routes) != 2 || routes[0].Via != want || routes[1].Destination != office ||
			routes[1].Via != network.Blackhole {
			t.Errorf("%s: routes %v, want the first by %v", state, routes, want)
		}
		if active := state == store.PeeringActive; (len(vpc.Peers) == 1) != active ||
			active && (!slices.Equal(vpc.Peers[0].CIDRs, []netip.Prefix{other}) || len(vpc.Peers[0].Members) != 1) {
			t.Errorf("%s: peers %v", state, vpc.Peers)
		}
	}
}
