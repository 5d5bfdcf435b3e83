//go:build linux

package dns

import "time"

// ttl is the time to live of the cloud's own records, in seconds (as Route 53's for the
// names of instances).
const ttl = 60

// maxServers is how many name servers of the host are asked at most.
const maxServers = 8

// upstreamTimeout bounds a query to one of the host's name servers.
const upstreamTimeout = 3 * time.Second

// idleTimeout is how long a TCP connection stays open between queries.
func idleTimeout() time.Duration { return 10 * time.Second }
