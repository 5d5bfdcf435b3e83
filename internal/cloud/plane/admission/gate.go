//go:build linux

// Package admission limits how much of something shared, such as a service's connections, each
// of its users may have, so that none uses up the descriptors and the memory of the others.
package admission

import (
	"fmt"
	"log/slog"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Source identifies a user of a service.
type Source struct {
	VPC     string // empty: Address is unique without it
	Address netip.Addr
}

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
	log     *slog.Logger
	notices *Notices
	uses    Counter[Source]
}

// NewGate returns the gate of a service, which log calls by its name.
func NewGate(service string, limits Limits, log *slog.Logger) *Gate {
	return &Gate{service: service, log: log, notices: NewNotices(1), uses: Counter[Source]{Limits: limits}}
}

// Enter reports whether the source may begin another use. If so, the caller calls Leave
// when the use ends. Otherwise the log names the source, once a minute.
func (g *Gate) Enter(s Source) bool {
	if g.uses.Enter(s) {
		return true
	}
	if others, due := g.notices.Due(s); due {
		open, total := g.uses.Open(s)
		g.log.Warn("a machine uses too much of a service; refuse more", "service", g.service, "vpc", s.VPC,
			"machine", s.Address, "open", open, "limit", g.uses.Limits.PerSource,
			"open-by-all", total, "limit-of-all", g.uses.Limits.Total, "refused-before", others)
	}
	return false
}

// Leave ends a use that Enter admitted.
func (g *Gate) Leave(s Source) { g.uses.Leave(s) }
