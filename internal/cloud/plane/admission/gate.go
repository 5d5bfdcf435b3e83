//go:build linux

// Package admission limits how much of a service that machines share one of them may use,
// so that none uses up the descriptors and the memory of the others and of the daemon.
package admission

import (
	"fmt"
	"log/slog"
	"net/netip"
	"sync"

	"golang.org/x/sys/unix"
)

// Source identifies a user of a service.
type Source struct {
	VPC     string // empty: Address is unique without it
	Address netip.Addr
}

// Limits are the most uses at a time, such as open connections.
type Limits struct{ PerSource, Total int }

// Within returns limits for one of several services of a process that may open a number of
// descriptors. Together, eight services whose uses cost one descriptor each leave half of
// the descriptors to everything else. A quarter of a service's uses is the most that one
// source has.
func Within(descriptors, perSource int) Limits {
	total := max(descriptors/16, 8)
	return Limits{PerSource: min(perSource, total/4), Total: total}
}

// maxDescriptors is the most that limits follow from. It bounds the memory that machines
// can make a process use whose limit of descriptors is a million.
const maxDescriptors = 1 << 16

// Descriptors returns how many descriptors this process may open. The Go runtime has raised
// that limit as far as it goes (os/rlimit.go).
func Descriptors() (int, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("read the limit of open files: %w", err)
	}
	return int(min(limit.Cur, maxDescriptors)), nil
}

// Gate counts the uses of one service, in all VPCs. It refuses those beyond the limits.
type Gate struct {
	service string
	limits  Limits
	log     *slog.Logger
	notices *Notices

	mu    sync.Mutex
	total int
	open  map[Source]int
}

// NewGate returns the gate of a service, which log calls by its name.
func NewGate(service string, limits Limits, log *slog.Logger) *Gate {
	return &Gate{
		service: service, limits: limits, log: log, notices: NewNotices(1), open: map[Source]int{},
	}
}

// Enter reports whether the source may begin another use. If so, the caller calls Leave
// when the use ends. Otherwise the log names the source, once a minute.
func (g *Gate) Enter(s Source) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open[s] < g.limits.PerSource && g.total < g.limits.Total {
		g.open[s]++
		g.total++
		return true
	}
	if others, due := g.notices.Due(s); due {
		g.log.Warn("a machine uses too much of a service; refuse more", "service", g.service, "vpc", s.VPC,
			"machine", s.Address, "open", g.open[s], "limit", g.limits.PerSource,
			"open-by-all", g.total, "limit-of-all", g.limits.Total, "refused-before", others)
	}
	return false
}

// Leave ends a use that Enter admitted.
func (g *Gate) Leave(s Source) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.total--
	if g.open[s]--; g.open[s] == 0 {
		delete(g.open, s)
	}
}
