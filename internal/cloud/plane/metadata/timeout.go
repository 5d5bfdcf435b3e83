//go:build linux

package metadata

import "time"

// The timeouts of a request, which is small, and of an idle connection.
const (
	requestTimeout = 10 * time.Second
	idleTimeout    = time.Minute
)

// maxHeaderBytes bounds a request's header, which holds a token of 56 bytes.
const maxHeaderBytes = 8 << 10
