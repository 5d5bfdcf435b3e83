//go:build linux

package instances

import (
	"aloft.dev/aloft/internal/cloud/bandwidth"
	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/store"
)

// diskRate returns what a machine may read from its root volume, and write to it. The volume's
// throughput is in MiB/s (Amazon EBS User Guide, General Purpose SSD volumes). All types have
// more than a gp3 volume's for half an hour a day; what they have afterwards is not simulated.
func diskRate(limit bandwidth.Setting, volume *store.Volume) machine.DiskRate {
	rate := machine.DiskRate{Bytes: uint64(volume.Throughput) << 20, Operations: uint64(volume.IOPS)}
	switch {
	case limit.ByType():
		return rate
	case limit.BytesPerSecond() == 0:
		return machine.DiskRate{}
	}
	rate.Bytes = limit.BytesPerSecond()
	return rate
}
