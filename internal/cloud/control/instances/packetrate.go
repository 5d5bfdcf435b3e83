//go:build linux

package instances

import "aloft.dev/aloft/internal/cloud/bandwidth"

// packetsPerVCPU is how many packets a machine may send in a second for each of its processors.
// AWS limits packets by instance type and does not publish how many there are (Amazon EC2 User
// Guide, Monitor network performance, pps_allowance_exceeded). A server can answer some thousand
// requests a second with so many.
const packetsPerVCPU = 10_000

// packetRate returns how many packets a machine may send in a second, or 0 if networks have no
// limit. A rate for all machines is one of bytes: packets stay limited by type.
func packetRate(limit bandwidth.Setting, vcpus int) int {
	if !limit.ByType() && limit.BytesPerSecond() == 0 {
		return 0
	}
	return packetsPerVCPU * vcpus
}
