//go:build linux

package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrNotRunning is returned when a local cloud has no running daemon.
var ErrNotRunning = errors.New("the local cloud is not running")

// stopPoll is the interval at which awaitEnd checks whether the daemon has exited.
const stopPoll = 20 * time.Millisecond

// killPatience is how long FindDaemon waits for the end of a killed daemon. To free the memory
// of a large process takes a fraction of a second.
const killPatience = 30 * time.Second

// Daemon describes a running daemon. The daemon records it in a file.
type Daemon struct {
	PID       int       `json:"pid"`
	Started   uint64    `json:"start_ticks"` // in clock ticks since boot (proc(5)); detects a reused pid
	Version   string    `json:"version"`
	Address   string    `json:"address"`
	StartedAt time.Time `json:"started_at"`
}

// FindDaemon returns the running daemon of a local cloud, or ErrNotRunning. It waits for the end
// of a daemon that was killed just now: until then the process holds its files and sockets.
func FindDaemon(ctx context.Context, layout Layout) (Daemon, error) {
	var d Daemon
	data, err := os.ReadFile(layout.daemon())
	if errors.Is(err, fs.ErrNotExist) {
		return d, ErrNotRunning
	}
	if err != nil {
		return d, fmt.Errorf("find the daemon: %w", err)
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return d, fmt.Errorf("read %s: %w", layout.daemon(), err)
	}
	if d.running() && d.killed() {
		waiting, cancel := context.WithTimeout(ctx, killPatience)
		defer cancel()
		if err := d.awaitEnd(waiting); err != nil {
			return Daemon{}, err
		}
	}
	if !d.running() {
		return Daemon{}, ErrNotRunning
	}
	return d, nil
}

// RecordDaemon records this process as the daemon that serves a local cloud at
// address.
func RecordDaemon(layout Layout, version, address string) error {
	ticks, err := startTicks(os.Getpid())
	if err != nil {
		return err
	}
	d := Daemon{PID: os.Getpid(), Started: ticks, Version: version, Address: address, StartedAt: time.Now()}
	return d.write(layout)
}

func (d Daemon) write(layout Layout) error {
	data, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("record the daemon: %w", err)
	}
	return writeFile(layout.daemon(), data)
}

// Stop ends the daemon and with it all machines, networks and load balancers.
// The store keeps them; they return with the next start.
func (d Daemon) Stop(ctx context.Context) error { return d.signal(ctx, syscall.SIGTERM) }

// Leave ends the daemon alone. Machines, networks and load balancers keep
// running, and the next daemon adopts them.
func (d Daemon) Leave(ctx context.Context) error { return d.signal(ctx, syscall.SIGHUP) }

func (d Daemon) signal(ctx context.Context, sig syscall.Signal) error {
	if err := syscall.Kill(d.PID, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal the daemon (pid %d): %w", d.PID, err)
	}
	return d.awaitEnd(ctx)
}

// awaitEnd returns when the daemon's process has ended.
func (d Daemon) awaitEnd(ctx context.Context) error {
	tick := time.NewTicker(stopPoll)
	defer tick.Stop()
	for d.running() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the daemon (pid %d) to end: %w", d.PID, ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

// running reports whether the process with the daemon's pid is the daemon.
func (d Daemon) running() bool {
	ticks, err := startTicks(d.PID)
	return err == nil && ticks == d.Started
}

// killed reports whether the process was sent SIGKILL. The signal stays pending for the process
// as a whole until its last thread has ended (proc(5), /proc/pid/status, ShdPnd).
func (d Daemon) killed() bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.PID))
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(data), "\nShdPnd:")
	mask, _, _ := strings.Cut(after, "\n")
	pending, err := strconv.ParseUint(strings.TrimSpace(mask), 16, 64)
	return err == nil && pending&(1<<(syscall.SIGKILL-1)) != 0
}

// startTicks returns the start time of a process (proc(5), /proc/pid/stat, field
// 22). A zombie counts as ended once its other threads have ended too (field 20): until
// then the process may hold its files and sockets.
func startTicks(pid int) (uint64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("read the start time of process %d: %w", pid, err)
	}
	_, after, ok := strings.Cut(string(data), ") ")
	fields := strings.Fields(after)
	if !ok || len(fields) < 20 || fields[0] == "Z" && fields[17] == "1" {
		return 0, fmt.Errorf("process %d has ended", pid)
	}
	ticks, err := strconv.ParseUint(fields[19], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read the start time of process %d: %w", pid, err)
	}
	return ticks, nil
}
