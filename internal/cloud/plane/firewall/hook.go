//go:build linux

package firewall

import "github.com/google/nftables"

// hook is where the kernel runs a base chain.
type hook struct {
	name      string // empty: none, the chain is reached from others only
	chainType nftables.ChainType
	priority  nftables.ChainPriority
}

// The priorities of netfilter hooks (netfilter_ipv4.h).
const (
	priorityRaw    nftables.ChainPriority = -300
	priorityMangle nftables.ChainPriority = -150
	priorityDstNAT nftables.ChainPriority = -100
	priorityFilter nftables.ChainPriority = 0
	prioritySrcNAT nftables.ChainPriority = 100
)

var (
	preroutingRaw  = hook{"prerouting", nftables.ChainTypeFilter, priorityRaw}
	preroutingMark = hook{"prerouting", nftables.ChainTypeFilter, priorityMangle} // flows are known
	preroutingNAT  = hook{"prerouting", nftables.ChainTypeNAT, priorityDstNAT}
	outputMark     = hook{"output", nftables.ChainTypeFilter, priorityMangle}
	inputFilter    = hook{"input", nftables.ChainTypeFilter, priorityFilter}
	forwardFilter  = hook{"forward", nftables.ChainTypeFilter, priorityFilter}
	postroutingRaw = hook{"postrouting", nftables.ChainTypeFilter, priorityRaw}
	postroutingNAT = hook{"postrouting", nftables.ChainTypeNAT, prioritySrcNAT}
)

// number returns the hook's number in the kernel.
func (h hook) number() *nftables.ChainHook {
	switch h.name {
	case "prerouting":
		return nftables.ChainHookPrerouting
	case "input":
		return nftables.ChainHookInput
	case "forward":
		return nftables.ChainHookForward
	case "output":
		return nftables.ChainHookOutput
	default:
		return nftables.ChainHookPostrouting
	}
}
