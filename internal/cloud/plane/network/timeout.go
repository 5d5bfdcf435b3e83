//go:build linux

package network

import "time"

// upTimeout bounds the wait until the kernel notices that a device's peer is up.
const upTimeout = 200 * time.Millisecond

// dialTimeout bounds the egress proxy's wait for a remote host to accept a connection. Linux
// itself tries as long.
const dialTimeout = 130 * time.Second

// The timeouts of a request's header and of an idle connection at the cloud's APIs.
const (
	apiHeaderTimeout = 10 * time.Second
	apiIdleTimeout   = 2 * time.Minute
)
