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
	offered, ok := instancetype.ByName(instanceType)
	if !ok {
		return firewall.Rate{}
	}
	r := firewall.Rate{Packets: uint64(limit.PacketsPerSecond(offered.VCPUs))}
	const megabit = 1_000_000 / 8
	if bytes := limit.BytesPerSecond(); bytes > 0 {
		r.Baseline, r.Burst = bytes, firewall.ShortBurst(bytes)
	} else if limit.ByType() {
		r.Baseline, r.Burst = uint64(offered.BaselineMbps)*megabit, credits
		r.Peak = uint64(offered.PeakMbps) * megabit
	}
	return r
}
