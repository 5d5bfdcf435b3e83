//go:build linux

package cloud

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/cloud/bandwidth"
	"aloft.dev/aloft/internal/cloud/dnsname"
	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/plane/admission"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/dns"
	"aloft.dev/aloft/internal/cloud/plane/egress"
	"aloft.dev/aloft/internal/cloud/plane/image"
	"aloft.dev/aloft/internal/cloud/plane/linklocal"
	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/plane/metadata"
	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/internal/cloud/plane/volume"
)

// kernelPlanes are the planes that run machines and carry traffic.
type kernelPlanes struct {
	layers   *image.Store
	volumes  *volume.Store
	machines *machine.Plane
	network  *network.Plane
	balancer *balancer.Client
	limits   bandwidth.Settings
	env      map[string]string
}

// openKernelPlanes opens the planes of d, whose store and APIs are open.
func openKernelPlanes(ctx context.Context, d *daemon) (planes, error) {
	p := &kernelPlanes{}
	if err := p.open(ctx, d); err != nil {
		return planes{}, errors.Join(err, p.close())
	}
	return planes{
		layers: p.layers, volumes: p.volumes, machines: p.machines, network: p.network, balancer: p.balancer,
		limits: p.limits, env: p.env,
		run:   []func(context.Context) error{p.network.Run, p.machines.ShareProcessors},
		start: p.balancer.Start, stop: p.stop, close: p.close,
		dial: func(ctx context.Context, interfaceID string, to netip.AddrPort) (net.Conn, error) {
			return network.DialIn(ctx, p.network.NodeNamespace(interfaceID), to)
		},
		probe: prober{
			store: d.store, kernel: p.network, dial: network.DialIn, listening: network.Listening,
			machine: func(id string) string { return p.machines.Status(id).Namespace },
		}.facts,
	}, nil
}

func (p *kernelPlanes) open(ctx context.Context, d *daemon) (err error) {
	if err := p.openMachines(ctx, d); err != nil {
		return err
	}
	if err := p.openNetwork(d); err != nil {
		return err
	}
	p.balancer = &balancer.Client{
		Dir: d.Layout.BalancerRun(), Command: d.Subprocess("balancer"), Log: d.Log,
		Namespaces: p.network.NodeNamespaces(), Logs: d.Layout.AccessLogs(),
	}
	return nil
}

// openMachines opens the planes of images and machines.
func (p *kernelPlanes) openMachines(ctx context.Context, d *daemon) (err error) {
	if p.layers, err = image.Open(d.Layout.Images()); err != nil {
		return err
	}
	if err := p.layers.Clean(ctx); err != nil {
		d.Log.Warn("leftovers of images could not be deleted", "error", err)
	}
	if p.layers.Mirrors, err = rememberMirrors(d.Layout, d.Mirrors); err != nil {
		return err
	}
	if p.volumes, err = volume.Open(d.Layout.Volumes()); err != nil {
		return err
	}
	if err := p.volumes.HideFromUdev("/run/udev", d.Layout.Prefix); err != nil {
		return err
	}
	p.machines, err = machine.New(machine.Config{
		Dir:        d.Layout.Machines(),
		RunDir:     d.Layout.MachineRun(),
		CgroupName: d.Layout.Prefix,
		Images:     p.layers,
		Launcher:   d.Subprocess("machine"),
		Log:        d.Log,
	})
	return err
}

// openNetwork opens the plane of networks, which serves the APIs to machines.
func (p *kernelPlanes) openNetwork(d *daemon) error {
	service, err := metadata.New(instanceMetadata{d.store, newInstanceCredentials(d.sessions), &d.keys}, d.Log)
	if err != nil {
		return err
	}
	reach, err := host.RememberReach(d.Layout, d.Reach)
	if err != nil {
		return err
	}
	if p.limits, err = host.RememberBandwidth(d.Layout, d.Bandwidth); err != nil {
		return err
	}
	descriptors, err := admission.Descriptors()
	if err != nil {
		return err
	}
	proxies, env := proxySettings(d.HostEnv, reach.LoopbackProxy)
	p.network, err = network.New(network.PlaneConfig{
		RunDir: d.Layout.NetworkRun(),
		Name:   d.Layout.Prefix,
		Reach: egress.Reach{
			Proxies: proxies,
			Private: reach.Private,
			Places:  places(env, p.layers.Mirrors.InUse(), d.Registries),
		},
		Egress: egress.NewClient(d.Layout.EgressRun(), d.Subprocess("egress"), d.Output, d.Log),
		LinkLocal: linklocal.NewClient(linklocal.Config{
			Dir: d.Layout.LinkLocalRun(), Command: d.Subprocess("linklocal"), Output: d.Output, Log: d.Log,
			Calls: descriptors / 4,
			Services: linklocal.Services{
				Metadata: service.Handler, API: d.inVPC, Endpoint: d.endpoint, Identity: d.endpointIdentity,
				Names: machineNames(dnsname.Resolver{Store: d.store}), NameServers: dns.HostResolvers,
			},
		}),
		Log: d.Log,
	})
	if err != nil {
		return err
	}
	env, err = withAuthorities(
		env, d.Layout.MachineAuthorities(), d.authority.RootPEM(), d.authority.PublicRootPEM(),
	)
	p.env = withEndpoint(viaProxy(env, p.network.ProxyAddress()))
	return err
}

// stop shuts down the machines and removes networks and load balancers. The
// store keeps them for the next start.
func (p *kernelPlanes) stop(ctx context.Context) error {
	problems := p.balancer.Stop(ctx)
	group, _ := errgroup.WithContext(ctx)
	for _, id := range p.machines.List() {
		group.Go(func() error { return p.machines.Stop(ctx, id, false) })
	}
	return errors.Join(problems, group.Wait(), p.network.Remove(ctx))
}

// close releases what open opened.
func (p *kernelPlanes) close() error {
	var problems error
	if p.balancer != nil {
		p.balancer.Close()
	}
	if p.network != nil {
		problems = errors.Join(problems, p.network.Close())
	}
	if p.machines != nil {
		problems = errors.Join(problems, p.machines.Close())
	}
	return problems
}
