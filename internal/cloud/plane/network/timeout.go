//go:build linux

package network

import "time"

// upTimeout bounds the wait until the kernel notices that a device's peer is up.
const upTimeout = 200 * time.Millisecond
