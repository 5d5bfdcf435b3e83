//go:build linux

package network

import (
	"crypto/sha256"
	"encoding/binary"
)

// minMark is the lowest mark. Routing tables with lower numbers belong to the kernel
// and to administrators.
const minMark = 1 << 16

// subnetMark returns the mark of packets from a subnet, which is also the number of
// the subnet's routing table. It is derived from the ID, so it survives restarts.
func subnetMark(subnetID string) uint32 { return markOf(subnetID) }

// withinTable returns the number of the routing table with a subnet's routes to parts of the VPC.
func withinTable(subnetID string) int { return int(markOf("within " + subnetID)) }

// ingressMark returns the mark of packets from a VPC's internet gateway if it has routes, which is
// also the number of the routing table with them.
func ingressMark(vpcID string) uint32 { return markOf("ingress " + vpcID) }

// returnMark returns the mark of replies that return to a node of a Network Load Balancer,
// which is also the number of the node's routing table.
func returnMark(interfaceID string) uint32 { return markOf(interfaceID) }

func markOf(id string) uint32 {
	sum := sha256.Sum256([]byte(id))
	return max(binary.BigEndian.Uint32(sum[:])>>1, minMark)
}
