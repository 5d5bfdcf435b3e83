//go:build linux

package instances

import "time"

// Limits of the loop's work.
const (
	defaultParallel  = 4 // launches
	launchTimeout    = 2 * time.Minute
	terminateTimeout = time.Minute
	// leaveTimeout is how long a machine that terminates waits for load balancers.
	leaveTimeout = 2 * time.Second
	// diskInterval is how often the loop looks for disks that became read-only.
	diskInterval = 10 * time.Second
	// repairInterval is how long the loop does not reboot an instance again to repair its disk.
	repairInterval = 10 * time.Minute
	// launchAttempts is the number of failed launches after which the loop stops or
	// terminates the instance.
	launchAttempts = 3
	// Delays between attempts of one instance's step.
	minRetryDelay = time.Second
	maxRetryDelay = 30 * time.Second
	// terminatedRetention is how long a terminated instance stays visible, as on AWS.
	terminatedRetention = time.Hour
)
