//go:build linux

package host

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"aloft.dev/aloft/internal/cloud/manners"
)

// StatusPath is the path at which a daemon serves its Status.
const StatusPath = "/_aloft/status"

// Status describes a running local cloud.
type Status struct {
	Version  string          `json:"version"`
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

// Status requests the status of a running daemon.
func (d Daemon) Status(ctx context.Context) (Status, error) {
	var status Status
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.Address+StatusPath, nil)
	if err != nil {
		return status, fmt.Errorf("request the local cloud's status: %w", err)
	}
	response, err := (&http.Client{}).Do(request)
	if err != nil {
		return status, fmt.Errorf("request the local cloud's status: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if err := json.NewDecoder(response.Body).Decode(&status); err != nil {
		return status, fmt.Errorf("read the local cloud's status: %w", err)
	}
	return status, nil
}
