//go:build linux

package network

import "time"

// upTimeout bounds the wait until the kernel notices that a device's peer is up.
const upTimeout = 200 * time.Millisecond

// The timeouts of a request at the cloud's APIs, of its header, of all of it and of its
// response, and of an idle connection.
const (
	apiHeaderTimeout  = 10 * time.Second
	apiRequestTimeout = time.Minute
	apiIdleTimeout    = 2 * time.Minute
)
