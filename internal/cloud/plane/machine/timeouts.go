//go:build linux

package machine

import "time"

const (
	// defaultStopTimeout is the default of Config.StopTimeout.
	defaultStopTimeout = 30 * time.Second

	// reportTimeout limits how long a launcher may take to report its state, or to kill
	// its system.
	reportTimeout = 5 * time.Second

	// thawTimeout limits how long thawing a machine may take after its disk was copied.
	// It applies even when the caller's context has ended.
	thawTimeout = 10 * time.Second

	// cgroupRemovalTimeout limits how long Close waits for the plane's cgroup to become idle.
	cgroupRemovalTimeout = time.Second

	// cgroupRetryInterval is the time between attempts to remove a busy cgroup.
	cgroupRetryInterval = 2 * time.Millisecond

	// cgroupPollInterval is how often a wait for a cgroup's event checks its context.
	cgroupPollInterval = 50 * time.Millisecond
)
