//go:build linux

package process

import "time"

// The timeouts of a request at the metadata service, which is small, and of an idle connection.
const (
	metadataTimeout     = 10 * time.Second
	metadataIdleTimeout = time.Minute
)

// The timeouts of a request at the cloud's APIs, of its header, of all of it and of its
// response, and of an idle connection.
const (
	apiHeaderTimeout  = 10 * time.Second
	apiRequestTimeout = time.Minute
	apiIdleTimeout    = 2 * time.Minute
)

// The sizes of headers in bytes. One for the metadata service holds a token of 56 bytes. The
// longest parts of the others are session tokens and presigned queries.
const (
	metadataHeader = 8 << 10
	apiHeader      = 32 << 10
)

// daemonTimeout is how long a call waits for a daemon while none runs.
const daemonTimeout = 5 * time.Second

// answerTimeout bounds what the resolver asks the daemon, waits included.
const answerTimeout = 10 * time.Second

// identityValidity is how long the certificate of an endpoint is used before the daemon is asked again.
const identityValidity = time.Hour

// noticeTimeout is how long after the end of a call it shows that its daemon has ended.
const noticeTimeout = time.Second
