//go:build linux

package host

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"

	"aloft.dev/aloft/internal/reachability"
)

// ProbePath is the path at which a daemon tries connections.
const ProbePath = "/_aloft/probes"

// ProbeRequest asks a daemon for the kernel's view of a path.
type ProbeRequest struct {
	From string `json:"from"` // the ID of an interface; "": outside
	// Outside is where outside the connection comes from; the zero Addr is anywhere.
	Outside netip.Addr     `json:"outside"`
	To      string         `json:"to"`  // the ID of an interface
	At      netip.AddrPort `json:"at"`  // its private or its public address
	Try     bool           `json:"try"` // open a connection, and close it
}

// Probe returns the kernel's view of a path.
func (d Daemon) Probe(ctx context.Context, layout Layout, in ProbeRequest) (*reachability.Facts, error) {
	var out reachability.Facts
	if err := d.call(ctx, layout, http.MethodPost, ProbePath, in, &out); err != nil {
		return nil, fmt.Errorf("ask the local cloud's kernel: %w", err)
	}
	return &out, nil
}
