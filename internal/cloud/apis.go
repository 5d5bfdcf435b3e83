//go:build linux

package cloud

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"aloft.dev/aloft/internal/cloud/api/acm"
	"aloft.dev/aloft/internal/cloud/api/autoscaling"
	"aloft.dev/aloft/internal/cloud/api/cloudwatch"
	"aloft.dev/aloft/internal/cloud/api/cloudwatchlogs"
	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/api/ec2instanceconnect"
	"aloft.dev/aloft/internal/cloud/api/ec2messages"
	"aloft.dev/aloft/internal/cloud/api/elbv2"
	"aloft.dev/aloft/internal/cloud/api/iam"
	"aloft.dev/aloft/internal/cloud/api/route53"
	"aloft.dev/aloft/internal/cloud/api/s3"
	"aloft.dev/aloft/internal/cloud/api/secretsmanager"
	"aloft.dev/aloft/internal/cloud/api/servicequotas"
	"aloft.dev/aloft/internal/cloud/api/sns"
	"aloft.dev/aloft/internal/cloud/api/ssm"
	"aloft.dev/aloft/internal/cloud/api/sts"
	"aloft.dev/aloft/internal/cloud/authorization"
	"aloft.dev/aloft/internal/cloud/frontend"
	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/managedpolicy"
	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/internal/cloud/tunnel"
	"aloft.dev/aloft/internal/cloud/wire"
)

// homeRegion is created at the first start, so that its base image is built
// before the first request.
const homeRegion = "us-east-1"

// machineEndpoint is the endpoint of the APIs inside every VPC, where machines reach it.
// On AWS, machines reach the services' own endpoints over the internet.
// machineEndpoint6 is for machines without IPv4.
var (
	machineEndpoint  = "http://" + netip.AddrPortFrom(firewall.MetadataAddress, firewall.APIPort).String()
	machineEndpoint6 = "http://" + netip.AddrPortFrom(firewall.MetadataAddress6, firewall.APIPort).String()
)

// openAPIs creates the handlers of all APIs, which share one endpoint: d.onHost for
// clients on the host, d.atNames for those that use a name, and d.inVPC for machines.
// AcceptAnyCredentials is for clients on the host only: whoever runs on a machine must not
// have the rights of the host's user.
func (d *daemon) openAPIs() error {
	config, err := d.apis()
	if err != nil {
		return err
	}
	config.Answered = d.recordCall
	forMachines := config
	forMachines.Hosts = []string{firewall.MetadataAddress.String(), firewall.MetadataAddress6.String()}
	forMachines.Fallback = nil
	forMachines.Streams = nil // their requests come without their connections
	config.AcceptAnyCredentials = d.AcceptAnyCredentials
	config.AccountKeys = d.Layout.Simulated // a real local cloud has one account
	handler, err := wire.NewHandler(config)
	if err != nil {
		return fmt.Errorf("serve the APIs: %w", err)
	}
	if err := d.openConsole(config); err != nil {
		return err
	}
	d.onHost = d.withConsole(d.withSigningCertificate(handler))
	if d.Layout.Simulated {
		return nil // no machine calls them
	}
	atNames := config
	// Not those for a user's process: its user would be that of the load balancer process.
	atNames.Streams = map[string]wire.Stream{tunnel.Path: config.Streams[tunnel.Path]}
	if handler, err = wire.NewHandler(atNames); err != nil {
		return fmt.Errorf("serve the APIs at the local cloud's own names: %w", err)
	}
	d.atNames = d.withSigningCertificate(handler)
	if d.inVPC, err = wire.NewHandler(forMachines); err != nil {
		return fmt.Errorf("serve the APIs to machines: %w", err)
	}
	return nil
}

// ipv6Range returns the range of the IPv6 addresses of VPCs, zero if they cannot have any.
func (d *daemon) ipv6Range() netip.Prefix {
	if !d.Layout.Simulated && network.CheckIPv6(d.Layout.Prefix) != nil {
		return netip.Prefix{} // the network plane tells why
	}
	return network.DefaultIPv6Range
}

// apis returns all APIs and the keys that sign requests to them.
func (d *daemon) apis() (wire.Config, error) {
	credentials, err := host.EnsureCredentials(d.Layout)
	if err != nil {
		return wire.Config{}, err
	}
	key, err := host.EnsureSealKey(d.Layout)
	if err != nil {
		return wire.Config{}, err
	}
	guard := authorization.New(authorization.Config{
		Store: d.store, Sessions: d.sessions, Seal: key, Log: d.Log,
		Managed: func(arn string) (string, bool) { return managedpolicy.Document(d.store.View(), arn) },
	})
	d.tunnels = tunnel.New(tunnel.Config{
		Store: d.store, Authorize: guard.Authorize, Log: d.Log,
		Dial: func(ctx context.Context, interfaceID string, to netip.AddrPort) (net.Conn, error) {
			return d.dial(ctx, interfaceID, to)
		},
	})
	machines := ec2.New(ec2.Config{
		Authorize: guard.Authorize, PassRole: passRoleTo(guard),
		Store: d.store, PublicRange: network.DefaultPublicRange, IPv6Range: d.ipv6Range(),
		Images:  d.publicImages(),
		Manners: &d.manners, AnyImage: d.AnyImage, Simulated: d.Layout.Simulated,
		Console: func(_ context.Context, id string) ([]byte, error) { return d.machines.Console(id) },
	})
	if err := machines.EnsureRegion(homeRegion); err != nil {
		return wire.Config{}, fmt.Errorf("create region %s: %w", homeRegion, err)
	}
	d.buckets = s3.New(s3.Config{Store: d.store, Files: d.objects, Log: d.Log})
	balancing := elbv2.New(elbv2.Config{
		Store: d.store, PublicRange: network.DefaultPublicRange, Manners: &d.manners, Deliver: d.buckets.Deliver,
		Simulated: d.Layout.Simulated,
	})
	publisher := publisher(guard, d.Log)
	d.compute, d.mayWriteLogs = machines, logWriter(guard)
	d.fleet = &autoscaling.Fleet{Store: d.store, Compute: machines, Balancing: balancing, Publisher: publisher}
	metrics := cloudwatch.New(cloudwatch.Config{Metrics: &d.metrics, Store: d.store, Manners: &d.manners})
	groups := autoscaling.New(autoscaling.Config{
		Store: d.store, Templates: machines, Manners: &d.manners, Publisher: publisher,
		PassRole: passRole(guard),
	})
	d.logs = cloudwatchlogs.New(cloudwatchlogs.Config{
		Store: d.store, Events: d.events, Log: d.Log, Metrics: &d.metrics,
	})
	if err := d.logs.DeleteLeftovers(); err != nil {
		d.Log.Warn("events of deleted log streams remain", "error", err)
	}
	if err := d.buckets.DeleteLeftovers(); err != nil {
		d.Log.Warn("files of deleted objects remain", "error", err)
	}
	secrets := secretsmanager.New(secretsmanager.Config{Store: d.store, Key: key})
	front := frontend.New(frontend.Config{
		Store: d.store, Manners: &d.manners, Log: d.Log,
		NotFound: map[string]func(field, id string) error{
			"ec2": ec2.NotFound, "elasticloadbalancing": elbv2.NotFound, "autoscaling": autoscaling.NotFound,
			"iam": iam.NotFound,
		},
	})
	return wire.Config{
		// A call that its caller may not make does not reach the front end.
		Around: nested(guard.Around, front.Around),
		Services: []wire.Service{
			{Name: "ec2", API: machines},
			{Name: "elasticloadbalancing", API: balancing},
			{Name: "monitoring", API: metrics},
			{Name: "logs", API: d.logs},
			{Name: "s3", API: d.buckets, CrossOrigin: d.buckets.CrossOrigin},
			{Name: "autoscaling", API: groups},
			{Name: "ssm", API: ssm.New(ssm.Config{
				Store: d.store, Key: key, Secrets: secrets, EnsureRegion: machines.EnsureRegion,
			})},
			{Name: "ec2messages", API: ec2messages.New(ec2messages.Config{Store: d.store}), Quiet: ec2messages.Quiet},
			{Name: "secretsmanager", API: secrets},
			{Name: "sts", API: sts.New(sts.Config{
				Store: d.store, Sessions: d.sessions, AssumeRole: guard.AssumeRole, SecondFactor: guard.SecondFactor,
				PolicyExists: guard.PolicyExists, AssumeRoleFor: guard.AssumeRoleFor, ProviderKeys: d.providerKeys,
				Log: d.Log,
			}), Anonymous: sts.Anonymous},
			{Name: "iam", API: iam.New(iam.Config{Store: d.store, Keys: d.sessions, Seal: key})},
			{Name: "route53", API: route53.New(route53.Config{Store: d.store, Manners: &d.manners})},
			{Name: "acm", API: acm.New(acm.Config{Store: d.store, Manners: &d.manners})},
			{
				Name: "ec2-instance-connect",
				API:  ec2instanceconnect.New(ec2instanceconnect.Config{Store: d.store, Keys: &d.keys}),
			},
			{Name: "sns", API: sns.New(sns.Config{Store: d.store}), Unsigned: sns.Unsigned},
			{Name: "servicequotas", API: servicequotas.New(servicequotas.Config{Manners: &d.manners})},
		},
		Credentials: func(id, token string) (wire.Key, error) {
			if id == credentials.AccessKeyID {
				return rootKey(credentials, token)
			}
			return guard.Key(id, token)
		},
		Fallback: d.own(machines),
		Streams: map[string]wire.Stream{
			tunnel.Path:    {Service: tunnel.Service, Serve: d.tunnels.Open},
			host.ActorPath: {Service: wire.OwnService, Serve: d.actor},
		},
		Log: d.Log,
	}, nil
}
