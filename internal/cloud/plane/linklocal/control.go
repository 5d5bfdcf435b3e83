//go:build linux

package linklocal

// Protocol is the version of the protocol between daemon and process, streams included. The
// daemon replaces a process of another version.
const Protocol = 4

// Operations of an order.
const (
	OpTake  = "take"  // the report has the place's sockets, or the process closes those of another form
	OpOpen  = "open"  // the order has the place's sockets, which the process serves
	OpClose = "close" // the process serves the place no longer
	OpServe = "serve" // the process sends streams, each of which is a call, until the connection ends
	OpStop  = "stop"  // the process closes the connection at its end
)

// Order asks something of the process.
type Order struct {
	Op    string
	Place Place // of OpTake, OpOpen, OpClose
}

// Report is the process's answer to an order.
type Report struct {
	Protocol, PID int
	Error         string // empty: none
}
