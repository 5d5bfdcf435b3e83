//go:build linux

package network

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// Device names. The device in the host's namespace carries the plane's own name
// (PlaneConfig.Name + hostSuffix).
const (
	uplink         = "igw"   // in a router, towards the edge
	edgeHostDevice = "host"  // in the edge, towards the host
	hostSuffix     = "-edge" // in the host, towards the edge
	maxDeviceName  = 15      // IFNAMSIZ less the terminating zero
)

// machineDevice returns the name of a device in a machine by its number, which begins at 0,
// as on AWS's Nitro instances: ens5.
func machineDevice(number int) string { return "ens" + strconv.Itoa(5+number) }

// peerDevice returns the name of the device towards a peer, which is the same in both routers.
func peerDevice(connectionID string) string { return deviceName("pcx", connectionID) }

// deviceName returns the name of a resource's device: the prefix and as many hex
// digits of the resource's ID as fit. Digits of a digest replace an ID that is
// too short or not hexadecimal.
func deviceName(prefix, id string) string {
	_, digits, found := strings.Cut(id, "-")
	room := maxDeviceName - len(prefix)
	if _, err := hex.DecodeString(digits + "0"); !found || err != nil || len(digits) < room {
		sum := sha256.Sum256([]byte(id))
		digits = hex.EncodeToString(sum[:])
	}
	return prefix + digits[:room]
}
