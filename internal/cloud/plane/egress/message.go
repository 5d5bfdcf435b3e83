//go:build linux

package egress

// Protocol is the version of the protocol between daemon and process. The daemon replaces a
// process of another version.
const Protocol = 2

// Operations of a request.
const (
	OpAbout = "about" // the answer has the listeners, if there are any
	OpServe = "serve" // the request has a reach, and may have listeners
	OpStop  = "stop"  // the process closes the connection at its end
)

// Request asks something of the process.
type Request struct {
	Op    string
	Reach Reach
}

// Answer is the answer to a request.
type Answer struct {
	Protocol, PID int
	Error         string // empty: none
}
