//go:build linux

package cloud

import (
	"context"
	"net"
	"net/netip"

	"aloft.dev/aloft/internal/cloud/bandwidth"
	"aloft.dev/aloft/internal/cloud/control/balancers"
	"aloft.dev/aloft/internal/cloud/control/flowlogs"
	"aloft.dev/aloft/internal/cloud/control/images"
	"aloft.dev/aloft/internal/cloud/control/instances"
	"aloft.dev/aloft/internal/cloud/control/metrics"
	"aloft.dev/aloft/internal/cloud/control/networks"
	"aloft.dev/aloft/internal/cloud/control/volumes"
	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/reachability"
)

// planes are the planes that the control loops drive: the kernel's, or simulated ones.
type planes struct {
	layers   images.Layers
	volumes  volumes.Files
	machines machinePlane
	network  networkPlane // nil: nothing carries packets
	balancer balancerPlane
	limits   bandwidth.Settings
	env      map[string]string // environment variables of every machine

	run   []func(context.Context) error   // what else runs while the loops run
	start func(ctx context.Context) error // called before the loops run
	stop  func(ctx context.Context) error // stops machines and removes networks and load balancers
	close func() error                    // releases what the planes hold; nothing stops

	// probe returns the kernel's view of a path.
	probe func(ctx context.Context, in host.ProbeRequest) (reachability.Facts, error)
	// dial connects from the network interface of an endpoint to an address in its VPC.
	dial func(ctx context.Context, interfaceID string, to netip.AddrPort) (net.Conn, error)
}

// openPlanes opens the planes of a daemon whose store and APIs are open.
type openPlanes func(ctx context.Context, d *daemon) (planes, error)

// machinePlane runs machines.
type machinePlane interface {
	instances.Machines
	metrics.Machines
	volumes.Machines
	Console(id string) ([]byte, error)
}

// networkLoop makes the network match the store.
type networkLoop interface {
	Sync(ctx context.Context) error
	Run(ctx context.Context) error
}

// noNetwork is the loop of a cloud whose packets nothing carries.
type noNetwork struct{}

func (noNetwork) Sync(context.Context) error { return nil }
func (noNetwork) Run(context.Context) error  { return nil }

// networkPlane carries packets.
type networkPlane interface {
	networks.Plane
	metrics.Network
	flowlogs.Network
	NodeNamespace(interfaceID string) string
}

// balancerPlane serves load balancers.
type balancerPlane interface {
	balancers.Balancer
	metrics.Balancer
	Targets(ctx context.Context) ([]balancer.TargetCounters, error)
}
