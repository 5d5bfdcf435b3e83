package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"aloft.dev/aloft/internal/cloud/api/acm"
	"aloft.dev/aloft/internal/cloud/api/autoscaling"
	"aloft.dev/aloft/internal/cloud/api/cloudwatch"
	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/api/elbv2"
	"aloft.dev/aloft/internal/cloud/api/ssm"
	"aloft.dev/aloft/internal/cloud/api/sts"
	"aloft.dev/aloft/internal/cloud/plane/image"
	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// homeRegion is seeded at the first start, so that its base image is built
// before anybody asks for it.
const homeRegion = "us-east-1"

// baseImages are the public images of every region. Debian publishes its own
// under this account and this parameter (Debian wiki, Cloud/AmazonEC2Image).
var baseImages = []ec2.BaseImage{{
	Base: image.Debian12, Name: "debian-12-amd64-20261101-1", Description: "Debian 12 (bookworm), amd64", Owner: "136693071363",
	Architecture: "x86_64", RootDevice: "/dev/xvda", SizeGiB: 8, Parameter: "/aws/service/debian/release/12/latest/amd64",
}}

// handler gives the APIs in one endpoint.
func (d *daemon) handler() (http.Handler, error) {
	credentials, err := ensureCredentials(d.Place)
	if err != nil {
		return nil, err
	}
	machines := ec2.New(ec2.Config{
		Store: d.store, PublicRange: network.DefaultPublicRange, Images: baseImages,
		Console: func(_ context.Context, id string) ([]byte, error) { return d.machines.Console(id) },
	})
	if err := machines.EnsureRegion(homeRegion); err != nil {
		return nil, fmt.Errorf("make region %s: %w", homeRegion, err)
	}
	balancing := elbv2.New(elbv2.Config{Store: d.store, PublicRange: network.DefaultPublicRange})
	d.fleet = &autoscaling.Fleet{Store: d.store, Compute: machines, Balancing: balancing}
	handler, err := wire.NewHandler(wire.Config{
		Services: []wire.Service{
			{Name: "ec2", API: machines},
			{Name: "elasticloadbalancing", API: balancing},
			{Name: "monitoring", API: cloudwatch.New(cloudwatch.Config{Metrics: &d.metrics, Store: d.store})},
			{Name: "autoscaling", API: autoscaling.New(autoscaling.Config{Store: d.store, Templates: machines})},
			{Name: "ssm", API: ssm.New(ssm.Config{Store: d.store, EnsureRegion: machines.EnsureRegion})},
			{Name: "sts", API: sts.New()},
			{Name: "acm", API: acm.New(acm.Config{Store: d.store})},
		},
		Credentials: func(id string) (string, bool) {
			return credentials.SecretAccessKey, id == credentials.AccessKeyID
		},
		AcceptAnyCredentials: d.AcceptAnyCredentials,
		Fallback:             http.HandlerFunc(d.status),
		Log:                  d.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("serve the APIs: %w", err)
	}
	return handler, nil
}

// Status is what a running local cloud says of itself.
type Status struct {
	Version  string          `json:"version"`
	Images   []ImageStatus   `json:"images"`
	Machines []MachineStatus `json:"machines"`
}

// ImageStatus is a base image, and how far its building is.
type ImageStatus struct {
	Name   string `json:"name"`
	Region string `json:"region"`
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
}

// MachineStatus is an instance and what its machine takes.
type MachineStatus struct {
	ID          string `json:"id"`
	Region      string `json:"region"`
	State       string `json:"state"`
	MemoryBytes int64  `json:"memory_bytes"`
}

func (d *daemon) status(w http.ResponseWriter, _ *http.Request) {
	view := d.store.View()
	status := Status{Version: d.Version, Images: []ImageStatus{}, Machines: []MachineStatus{}}
	for _, row := range store.Images.List(view) {
		if row.Public {
			status.Images = append(
				status.Images,
				ImageStatus{Name: row.Base, Region: row.Region, State: row.State, Reason: row.StateReason},
			)
		}
	}
	for _, row := range store.Instances.List(view) {
		if row.State != store.Terminated {
			status.Machines = append(
				status.Machines,
				MachineStatus{
					ID:          row.ID,
					Region:      row.Region,
					State:       row.State,
					MemoryBytes: d.machines.Status(row.ID).MemoryBytes,
				},
			)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(status) // the client may have gone
}

// Status asks a running daemon what is in it.
func (d Daemon) Status(ctx context.Context) (Status, error) {
	var status Status
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.Address+"/_aloft/status", nil)
	if err != nil {
		return status, fmt.Errorf("ask the local cloud: %w", err)
	}
	response, err := (&http.Client{}).Do(request)
	if err != nil {
		return status, fmt.Errorf("ask the local cloud: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if err := json.NewDecoder(response.Body).Decode(&status); err != nil {
		return status, fmt.Errorf("read what the local cloud says: %w", err)
	}
	return status, nil
}
