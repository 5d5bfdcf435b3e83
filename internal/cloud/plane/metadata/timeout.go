//go:build linux

package metadata

import "time"

// The timeouts of a request, which is small, and of an idle connection.
const (
	requestTimeout = 10 * time.Second
	idleTimeout    = time.Minute
)
