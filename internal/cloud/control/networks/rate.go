//go:build linux

package networks

import (
	"aloft.dev/aloft/internal/cloud/bandwidth"
	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// credits is how many bytes an interface may carry beyond its baseline, in each direction. AWS
// documents that types with a burst keep it for 5 to 60 minutes (Amazon EC2 User Guide, Amazon
// EC2 instance network bandwidth) but not how many credits they have. This is as many as the
// kernel counts.
const credits = 1<<32 - 1

// rate returns the rate of an interface of an instance.
func rate(limit bandwidth.Setting, instanceType string) firewall.Rate {
	if !limit.ByType() {
		bytes := limit.BytesPerSecond()
		if bytes == 0 {
			return firewall.Rate{}
		}
		return firewall.Rate{Baseline: bytes, Burst: firewall.ShortBurst(bytes)}
	}
	offered, ok := instancetype.ByName(instanceType)
	if !ok {
		return firewall.Rate{}
	}
	const megabit = 1_000_000 / 8
	return firewall.Rate{
		Baseline: uint64(offered.BaselineMbps) * megabit, Burst: credits,
		Peak: uint64(offered.PeakMbps) * megabit,
	}
}
