package network

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// Names of devices. Those in the host's namespace bear the plane's own name.
const (
	machineDevice  = "ens5"  // in a machine, as on AWS's Nitro instances
	uplink         = "igw"   // in a router, towards the edge
	edgeHostDevice = "host"  // in the edge, towards the host
	hostSuffix     = "-edge" // in the host, towards the edge
	maxDeviceName  = 15      // IFNAMSIZ less the closing zero
	tableName      = "aloft" // of nftables
	minMark        = 1 << 16 // below are the tables that the kernel and people use
)

// deviceName names a device after a resource: its kind and as much of its id as
// fits, or a digest where that would not tell it from others.
func deviceName(kind, id string) string {
	_, digits, found := strings.Cut(id, "-")
	room := maxDeviceName - len(kind)
	if _, err := hex.DecodeString(digits + "0"); !found || err != nil || len(digits) < room {
		sum := sha256.Sum256([]byte(id))
		digits = hex.EncodeToString(sum[:])
	}
	return kind + digits[:room]
}

// subnetMark gives a subnet's mark, which is its routing table's number too. It
// follows from the id, so that it stays over restarts.
func subnetMark(subnet string) uint32 {
	sum := sha256.Sum256([]byte(subnet))
	return max(binary.BigEndian.Uint32(sum[:])>>1, minMark)
}
