//go:build linux

package host

import (
	"context"
	"fmt"
	"net/http"

	"aloft.dev/aloft/internal/cloud/manners"
)

// StatusPath is the path at which a daemon serves its Status.
const StatusPath = "/_aloft/status"

// Status describes a running local cloud.
type Status struct {
	Version string `json:"version"`
	// Simulated is set if no machine runs and no traffic is carried.
	Simulated bool `json:"simulated,omitempty"`

	Images   []ImageStatus   `json:"images"`
	Machines []MachineStatus `json:"machines"`
	// Manners are those that the local cloud has now.
	Manners manners.Settings `json:"manners"`
}

// ImageStatus is the state of a base image in one region.
type ImageStatus struct {
	Name   string `json:"name"`
	Region string `json:"region"`
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
}

// MachineStatus is the state of an instance and the memory that its machine uses.
type MachineStatus struct {
	ID          string `json:"id"`
	Region      string `json:"region"`
	State       string `json:"state"`
	MemoryBytes int64  `json:"memory_bytes"`
}

// Status requests the status of a local cloud's running daemon.
func (d Daemon) Status(ctx context.Context, layout Layout) (Status, error) {
	var status Status
	if err := d.call(ctx, layout, http.MethodGet, StatusPath, nil, &status); err != nil {
		return status, fmt.Errorf("request the local cloud's status: %w", err)
	}
	return status, nil
}
