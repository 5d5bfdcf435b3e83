//go:build linux

package firewall

import (
	"strconv"

	"github.com/google/nftables/expr"
)

// Rate limits what passes an interface in each direction. The zero Rate does not.
type Rate struct {
	Baseline uint64 // bytes per second
	Burst    uint32 // bytes that may pass beyond the baseline; they come back at its rate
	Peak     uint64 // bytes per second while the burst lasts; 0: as fast as the host can
	Packets  uint64 // packets per second that it sends; 0: any number
}

// ShortBurst returns the burst of a rate that is not meant to have one: what a tenth of a second
// carries, and at least a few of the largest packets that the kernel hands over as one.
func ShortBurst(rate uint64) uint32 {
	return uint32(min(max(rate/10, 256<<10), 1<<32-1))
}

// rateSets returns the maps from an interface's device to its chains of rateChains.
func (r Router) rateSets() []set {
	sending := set{name: "sending", key: []field{inDevice}, isVerdictMap: true}
	receiving := set{name: "receiving", key: []field{outDevice}, isVerdictMap: true}
	for _, i := range r.Interfaces {
		if i.Rate != (Rate{}) {
			device := []value{deviceValue(i.Device)}
			sending.add(element{key: device, verdict: jumpTo("sent-" + i.ID)})
			receiving.add(element{key: device, verdict: jumpTo("received-" + i.ID)})
		}
	}
	return []set{sending, receiving}
}

// rateChains returns two chains for each interface with a rate, which drop what is beyond it.
// The burst is full after each change of the ruleset. What sends beyond the limit of packets pays
// for none of its bytes.
func (r Router) rateChains() (chains []chain) {
	for _, i := range r.Interfaces {
		if i.Rate == (Rate{}) {
			continue
		}
		var rules []rule
		if i.Rate.Peak > 0 {
			rules = append(rules, rule{over{i.Rate.Peak, ShortBurst(i.Rate.Peak)}, drop})
		}
		rules = append(rules, rule{over{i.Rate.Baseline, i.Rate.Burst}, drop})
		sent := rules
		if i.Rate.Packets > 0 {
			sent = append([]rule{{packetsOver{i.Rate.Packets}, drop}}, rules...)
		}
		chains = append(chains,
			chain{name: "sent-" + i.ID, rules: sent}, chain{name: "received-" + i.ID, rules: rules},
		)
	}
	return chains
}

// packetsOver matches what exceeds a rate, in packets per second. Its burst is what comes in a
// tenth of a second, so that packets which the limit at the machine's sockets lets pass in one
// rush (package packetrate) pass here too.
type packetsOver struct{ rate uint64 }

func (m packetsOver) burst() uint32 { return uint32(max(m.rate/10, 1)) }

func (m packetsOver) text() string {
	return "limit rate over " + strconv.FormatUint(m.rate, 10) + "/second burst " +
		strconv.FormatUint(uint64(m.burst()), 10) + " packets"
}

func (m packetsOver) exprs() []expr.Any {
	return []expr.Any{&expr.Limit{
		Type: expr.LimitTypePkts, Rate: m.rate, Unit: expr.LimitTimeSecond, Burst: m.burst(), Over: true,
	}}
}

// over matches what exceeds a rate, in bytes per second, and a burst in bytes.
type over struct {
	rate  uint64
	burst uint32
}

func (m over) text() string {
	return "limit rate over " + strconv.FormatUint(m.rate, 10) + " bytes/second burst " +
		strconv.FormatUint(uint64(m.burst), 10) + " bytes"
}

func (m over) exprs() []expr.Any {
	return []expr.Any{&expr.Limit{
		Type: expr.LimitTypePktBytes, Rate: m.rate, Unit: expr.LimitTimeSecond, Burst: m.burst, Over: true,
	}}
}
