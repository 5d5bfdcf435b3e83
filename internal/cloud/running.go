package cloud

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

// ErrNotRunning tells that there is no daemon at a place.
var ErrNotRunning = errors.New("the local cloud is not running")

// Daemon is a running daemon, as it wrote itself down.
type Daemon struct {
	PID       int       `json:"pid"`
	Started   uint64    `json:"start_ticks"` // start time of the process, in clock ticks since boot (proc(5)): tells a reused pid
	Version   string    `json:"version"`
	Address   string    `json:"address"`
	StartedAt time.Time `json:"started_at"`
}

// FindDaemon returns the daemon that runs at the place, or ErrNotRunning.
func FindDaemon(place Place) (Daemon, error) {
	var d Daemon
	data, err := os.ReadFile(place.daemon())
	if errors.Is(err, fs.ErrNotExist) {
		return d, ErrNotRunning
	}
	if err != nil {
		return d, fmt.Errorf("look for the daemon: %w", err)
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return d, fmt.Errorf("read %s: %w", place.daemon(), err)
	}
	if ticks, err := startTicks(d.PID); err != nil || ticks != d.Started {
		return Daemon{}, ErrNotRunning
	}
	return d, nil
}

func (d Daemon) write(place Place) error {
	data, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("write the daemon down: %w", err)
	}
	return writeFile(place.daemon(), data)
}

// Stop ends the daemon and with it machines, networks and load balancers; what
// they are is kept and comes back with the next start.
func (d Daemon) Stop(ctx context.Context) error { return d.signal(ctx, syscall.SIGTERM) }

// Leave ends the daemon alone: machines, networks and load balancers run on and
// the next daemon takes them over.
func (d Daemon) Leave(ctx context.Context) error { return d.signal(ctx, syscall.SIGHUP) }

func (d Daemon) signal(ctx context.Context, sig syscall.Signal) error {
	if err := syscall.Kill(d.PID, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal the daemon (pid %d): %w", d.PID, err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if ticks, err := startTicks(d.PID); err != nil || ticks != d.Started {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the daemon (pid %d) to end: %w", d.PID, ctx.Err())
		case <-tick.C:
		}
	}
}

// startTicks reads when a process started (proc(5), /proc/pid/stat, field 22).
// A zombie counts as gone.
func startTicks(pid int) (uint64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("look at process %d: %w", pid, err)
	}
	_, after, ok := strings.Cut(string(data), ") ")
	fields := strings.Fields(after)
	if !ok || len(fields) < 20 || fields[0] == "Z" {
		return 0, fmt.Errorf("process %d has ended", pid)
	}
	ticks, err := strconv.ParseUint(fields[19], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("look at process %d: %w", pid, err)
	}
	return ticks, nil
}
