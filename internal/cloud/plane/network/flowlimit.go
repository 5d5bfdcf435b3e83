//go:build linux

package network

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/plane/thread"
)

// Bounds of the flows that a machine may have open. The kernel checks a new flow against all
// that its sender has open.
const (
	minFlows = 512
	maxFlows = 8192
)

// flowLimit returns how many flows a machine may have open at a time: an eighth of those that
// the kernel tracks in each namespace. It returns 0, no limit, on a kernel that cannot count
// them (CONFIG_NFT_CONNLIMIT).
func flowLimit(log *slog.Logger) uint32 {
	if err := probeFlowLimit(); err != nil {
		log.Warn("one machine can use up the flows of its VPC: this kernel cannot count them (modprobe nft_connlimit)",
			"error", err)
		return 0
	}
	text, err := os.ReadFile("/proc/sys/net/netfilter/nf_conntrack_max")
	tracked, parseErr := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || parseErr != nil {
		return maxFlows
	}
	return uint32(min(max(tracked/8, minFlows), maxFlows))
}

// probeFlowLimit limits flows in a namespace that is gone when it returns.
func probeFlowLimit() error {
	return inProbe(func(fd int) error {
		edge := firewall.Edge{
			Host: "probe", Public: DefaultPublicRange, Proxies: DefaultPublicRange.Addr(),
			Listener: netip.AddrPortFrom(DefaultPublicRange.Addr(), egressPort), Flows: 1,
		}
		return firewall.Apply(fd, edge.Ruleset(nftTable))
	})
}

// inProbe runs do on a thread in a network namespace, given by an open file descriptor, that is
// gone when it returns.
func inProbe(do func(fd int) error) error {
	return thread.RunDisposable(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("create network namespace: %w", err)
		}
		probe, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			return err
		}
		defer func() { _ = probe.Close() }()
		return do(int(probe.Fd()))
	})
}

// flowSysctls make a namespace forget flows soon that carry nothing any more: a closed TCP
// connection, which firewalls no longer count, after ten seconds and not two minutes, as one
// that was reset; and a UDP query and its response after ten seconds and not thirty.
var flowSysctls = []sysctl{
	{"netfilter/nf_conntrack_tcp_timeout_time_wait", "10"}, {"netfilter/nf_conntrack_udp_timeout", "10"},
}

// forgetFlows applies flowSysctls to the calling thread's namespace.
func forgetFlows() error {
	err := writeSysctls(flowSysctls)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing is tracked yet
	}
	return err
}
