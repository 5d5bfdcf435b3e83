//go:build linux

package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// loops returns how many loops serve connections on a host with that many
// processors: half as many. The other processors are for the machines behind the
// balancer. With as many loops as processors, a request that wakes a target is
// answered on one of them before the next is read on the other, and every request
// costs a context switch on both sides; with half, requests gather. On a host with
// two processors, bench/balancer measured up to a third less CPU a request.
func loops(processors int) int { return max(1, processors/2) }

// schedule puts all threads of a process into a scheduling class, and keeps their nice values.
// Threads inherit the class from the threads that start them.
func schedule(pid int, c class) error {
	set := map[int]bool{}
	for before := -1; len(set) > before; { // until no thread was started meanwhile
		before = len(set)
		threads, err := threadsOf(pid)
		if err != nil {
			return err
		}
		for _, thread := range threads {
			attr, err := unix.SchedGetAttr(thread, 0)
			if err == nil {
				attr.Policy = uint32(c)
				err = unix.SchedSetAttr(thread, attr, 0)
			}
			if err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("set the scheduling class: %w", err)
			}
			set[thread] = true
		}
	}
	return nil
}

// threadsOf returns the threads of a process.
func threadsOf(pid int) ([]int, error) {
	entries, err := os.ReadDir(taskDir(pid))
	if err != nil {
		return nil, fmt.Errorf("list the threads: %w", err)
	}
	threads := make([]int, len(entries))
	for i, entry := range entries {
		if threads[i], err = strconv.Atoi(entry.Name()); err != nil {
			return nil, fmt.Errorf("list the threads: %w", err)
		}
	}
	return threads, nil
}

func taskDir(pid int) string { return filepath.Join("/proc", strconv.Itoa(pid), "task") }

// meter reads what the threads of a process got of the processors.
type meter struct {
	pid  int
	last map[int]usage // by thread
	idle time.Duration
}

// read returns what the threads got since the last call.
func (m *meter) read() (usage, error) {
	threads, err := threadsOf(m.pid)
	if err != nil {
		return usage{}, err
	}
	idle, err := idleTime()
	if err != nil {
		return usage{}, err
	}
	sum := usage{idle: idle - m.idle}
	now := make(map[int]usage, len(threads))
	for _, thread := range threads {
		text, err := os.ReadFile(filepath.Join(taskDir(m.pid), strconv.Itoa(thread), "schedstat"))
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue // it has ended since
		}
		if err != nil {
			return usage{}, err
		}
		var u usage
		if _, err := fmt.Sscan(string(text), &u.ran, &u.waited, &u.slices); err != nil {
			return usage{}, fmt.Errorf("read the times of a thread: %w", err)
		}
		now[thread] = u
		sum = sum.plus(u.minus(m.last[thread]))
	}
	m.last, m.idle = now, idle
	return sum, nil
}

// idleTime returns how long all processors together have been idle since the host started.
func idleTime() (time.Duration, error) {
	text, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return 0, err
	}
	var up, idle float64 // seconds
	if _, err := fmt.Sscan(string(text), &up, &idle); err != nil {
		return 0, fmt.Errorf("read how long processors were idle: %w", err)
	}
	return time.Duration(idle * float64(time.Second)), nil
}

// adapt schedules a process as a rule says until ctx ends, or the process.
func adapt(ctx context.Context, pid int, r rule) error {
	err := apply(ctx, pid, r)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return nil // it has ended
	}
	return err
}

// apply is adapt, but fails when the process has ended.
func apply(ctx context.Context, pid int, r rule) error {
	m := meter{pid: pid}
	if _, err := m.read(); err != nil { // what it got until now says nothing
		return err
	}
	// The process starts in this class, but an earlier keeper may have changed it.
	if err := schedule(pid, r.class); err != nil {
		return err
	}
	timer := time.NewTimer(r.interval())
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case at := <-timer.C:
			used, err := m.read()
			if err != nil {
				return err
			}
			before := r.class
			if r.count(at, used); r.class != before {
				if err := schedule(pid, r.class); err != nil {
					return err
				}
			}
			timer.Reset(r.interval())
		}
	}
}
