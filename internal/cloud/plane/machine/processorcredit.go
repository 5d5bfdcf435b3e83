//go:build linux

package machine

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// creditInterval is how often processor credits are counted.
	creditInterval = 200 * time.Millisecond
	// maxCredit is how much processor time a machine can save for later.
	maxCredit = 200 * time.Millisecond
	// minCredit is where its debt ends: a machine that others keep from its share soon has it.
	minCredit = -50 * time.Millisecond
)

// credit is the processor time that a machine may use beyond what it always has, before others
// come first.
type credit struct {
	left time.Duration
	used time.Duration // in all
	at   time.Time
	idle bool

	weight int // what the machine always has, in percent of one processor
}

// count accounts for the processor time that the machine had used at a time, and reports whether
// other machines come first from then on.
func (c *credit) count(used time.Duration, at time.Time) bool {
	earned := at.Sub(c.at) * time.Duration(c.weight) / 100
	c.left = min(max(c.left+earned-(used-c.used), minCredit), maxCredit)
	c.used, c.at = used, at
	if c.left <= 0 {
		c.idle = true
	} else if c.left >= -2*minCredit {
		c.idle = false
	}
	return c.idle
}

// ShareProcessors lets machines that have used more processor time than their weight, which is in
// percent of one processor, run only when no other machine wants to, until ctx ends. Weights alone
// would let a machine wait for the end of another's time slice whenever it wakes up. It returns
// nil.
func (p *Plane) ShareProcessors(ctx context.Context) error {
	credits := map[string]*credit{}
	tick := time.NewTicker(creditInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case at := <-tick.C:
			p.countCredits(credits, at)
		}
	}
}

// countCredits counts the credits of all machines that are in the kernel.
func (p *Plane) countCredits(credits map[string]*credit, at time.Time) {
	for id := range credits {
		if !exists(p.runDir(id)) {
			delete(credits, id)
		}
	}
	present, err := os.ReadDir(p.config.RunDir)
	if err != nil {
		return // there is none
	}
	for _, entry := range present {
		id := entry.Name()
		used, ok := p.cgroup(id).cpuUsage()
		if !ok {
			continue // it is being prepared or removed
		}
		c, known := credits[id]
		if !known || used < c.used { // it has another cgroup
			r, err := p.readRecord(id)
			if err != nil {
				continue
			}
			c = &credit{left: maxCredit, used: used, at: at, weight: cmp.Or(r.Machine.CPUWeight, defaultWeight)}
			credits[id] = c
			known = false
		}
		before := c.idle
		if c.count(used, at) == before && known {
			continue
		}
		err := p.cgroup(id).setIdle(c.idle, c.weight)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENODEV) {
			p.config.Log.Warn("divide processor time", "machine", id, "error", err)
		}
	}
}

// setIdle lets the machine run only when no other machine wants to, or as its weight says. The
// kernel forgets the weight of an idle cgroup.
func (c cgroup) setIdle(idle bool, weight int) error {
	dir := c.top()
	if mount := c.v1["cpu"]; mount != "" {
		dir = filepath.Join(mount, c.name)
	}
	file := filepath.Join(dir, "cpu.idle")
	if idle {
		return writeFile(file, "1")
	}
	if err := writeFile(file, "0"); err != nil {
		return err
	}
	return c.setWeight(weight)
}
