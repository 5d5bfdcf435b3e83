package drill

import "time"

const (
	// undoLimit is how long undoing a change may take: a server starts and becomes
	// healthy within it.
	undoLimit = 10 * time.Minute
	// recoveryLimit is how long the targets may take to become healthy after it.
	recoveryLimit = 10 * time.Minute
	// aclLimit is how long AWS may take until all its replies about network ACLs agree.
	aclLimit = 2 * time.Minute
	// requestTimeout limits a request of the load. A user gives up by then.
	requestTimeout = 5 * time.Second
	// liveInterval is the time between two calls of Options.Live.
	liveInterval = 500 * time.Millisecond
	// boundMargin is how much longer than its bound a failure lasts, to show whether
	// the bound holds.
	boundMargin = 10 * time.Second
)
