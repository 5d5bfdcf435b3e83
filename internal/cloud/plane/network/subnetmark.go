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
func subnetMark(subnetID string) uint32 {
	sum := sha256.Sum256([]byte(subnetID))
	return max(binary.BigEndian.Uint32(sum[:])>>1, minMark)
}
