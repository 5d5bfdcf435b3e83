package remote

import "time"

// Timeouts of SSH connections to machines that may still be starting.
const (
	connectTimeout    = 3 * time.Minute        // from launch until sshd accepts the key
	firstDialTimeout  = 250 * time.Millisecond // short: an address without a machine answers nothing
	maxDialTimeout    = 4 * time.Second
	handshakeTimeout  = 15 * time.Second
	wayInterval       = time.Second // between attempts that call an API
	dialInterval      = 100 * time.Millisecond
	refusalTimeout    = 20 * time.Second // a machine installs its key early in its first boot
	keepaliveInterval = 15 * time.Second
	stopTimeout       = 5 * time.Second // for a remote command that is told to stop
)
