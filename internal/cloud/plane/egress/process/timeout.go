//go:build linux

package process

import "time"

// dialTimeout bounds the wait for a remote host to accept a connection. Linux itself tries
// as long.
const dialTimeout = 130 * time.Second

// idleTimeout is how long a connection may carry nothing in either direction, as through a
// NAT gateway (Amazon VPC User Guide, NAT gateways: "If a connection that's using a NAT
// gateway is idle for 350 seconds or more, the connection times out").
const idleTimeout = 350 * time.Second
