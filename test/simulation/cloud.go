//go:build linux

// Package simulation runs the deployer against a local cloud inside the test process:
// the real APIs and control loops over planes without a kernel.
package simulation

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/cloud/activekey"
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
	"aloft.dev/aloft/internal/cloud/authority"
	"aloft.dev/aloft/internal/cloud/control/balancers"
	"aloft.dev/aloft/internal/cloud/control/certificates"
	"aloft.dev/aloft/internal/cloud/control/commands"
	"aloft.dev/aloft/internal/cloud/control/endpoints"
	"aloft.dev/aloft/internal/cloud/control/images"
	"aloft.dev/aloft/internal/cloud/control/instances"
	"aloft.dev/aloft/internal/cloud/control/natgateways"
	"aloft.dev/aloft/internal/cloud/control/networks"
	"aloft.dev/aloft/internal/cloud/control/scaling"
	"aloft.dev/aloft/internal/cloud/eventlog"
	"aloft.dev/aloft/internal/cloud/frontend"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/objectfile"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/simulated"
	"aloft.dev/aloft/internal/cloud/seal"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Region is where the tests deploy.
const Region = "us-east-1"

// PublicRange is the range of public IP addresses.
var PublicRange = netip.MustParsePrefix("198.18.0.0/15")

// maxLogEvents is how many bytes the events of CloudWatch Logs take.
const maxLogEvents = 16 << 20

// Cloud is a local cloud in this process.
type Cloud struct {
	Store   *store.Store
	handler http.Handler // of the APIs

	authorityDir string

	Machines      simulated.Machines
	Layers        simulated.Layers
	Network       simulated.Network
	Balancer      simulated.Balancer
	Metrics       metric.Store
	Manners       manners.Set // kind unless a test uses settings
	Fleet         scaling.Fleet
	Logs          *cloudwatchlogs.API
	Buckets       *s3.API
	FailedRelease atomic.Pointer[string] // release whose servers become unhealthy after they served; nil: none
	FailLate      atomic.Bool            // its group instances stay healthy until another one is launched
	OnHealthCheck atomic.Pointer[func()] // called at each health check; nil: nothing

	// Sick reports whether an instance answers health checks with an error; nil: none does.
	Sick      atomic.Pointer[func(*store.Instance) bool]
	StopLoops func() // stops the control loops, as a kill of the daemon does

	// Capacity returns the capacity of a zone for an instance type; nil: sufficient.
	Capacity atomic.Pointer[func(zone, instanceType string) ec2.Capacity]
}

// capacity is the hook of the EC2 API.
func (c *Cloud) capacity(zone string, instanceType types.InstanceType) ec2.Capacity {
	if hook := c.Capacity.Load(); hook != nil {
		return (*hook)(zone, string(instanceType))
	}
	return ec2.Sufficient
}

// New starts a local cloud that ends with the test.
func New(t *testing.T) *Cloud {
	t.Helper()
	return Open(t, "")
}

// Open starts a local cloud with a database file, or in memory if path is empty. It
// ends with the test.
func Open(t *testing.T, path string) *Cloud {
	t.Helper()
	s, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	c := &Cloud{Store: s}
	c.Metrics.Late = c.Manners.MetricsLate
	console := hostKeyConsole(t)
	c.Machines.Output = func(string) []byte { return console }
	c.Balancer.Health = c.health
	network := ec2.New(ec2.Config{
		Store: s, PublicRange: PublicRange, Manners: &c.Manners,
		Console:  func(_ context.Context, id string) ([]byte, error) { return c.Machines.Console(id) },
		Capacity: c.capacity,
		Images: []ec2.BaseImage{
			{Base: "debian-12", Name: "debian-12-amd64-20261101-1234", Owner: "136693071363", Architecture: "x86_64",
				RootDevice: "/dev/xvda", SizeGiB: 8,
				Parameters: []string{"/aws/service/debian/release/12/latest/amd64"}},
		},
	})
	files, err := objectfile.Open(t.TempDir(), seal.NewSecret())
	if err != nil {
		t.Fatal(err)
	}
	c.Buckets = s3.New(s3.Config{Store: s, Files: files, Log: slog.New(slog.DiscardHandler)})
	balancing := elbv2.New(elbv2.Config{
		Store: s, PublicRange: PublicRange, Manners: &c.Manners, Deliver: c.Buckets.Deliver,
	})
	c.Fleet = &autoscaling.Fleet{Store: s, Compute: network, Balancing: balancing}
	metrics := cloudwatch.New(cloudwatch.Config{Metrics: &c.Metrics, Store: s, Manners: &c.Manners})
	groups := autoscaling.New(autoscaling.Config{Store: s, Templates: network, Manners: &c.Manners})
	front := frontend.New(frontend.Config{
		Store: s, Manners: &c.Manners, Log: slog.New(slog.DiscardHandler),
		NotFound: map[string]func(field, id string) error{
			"ec2": ec2.NotFound, "elasticloadbalancing": elbv2.NotFound, "autoscaling": autoscaling.NotFound,
			"iam": iam.NotFound,
		},
	})
	events, err := eventlog.Open(t.TempDir(), maxLogEvents)
	if err != nil {
		t.Fatal(err)
	}
	c.Logs = cloudwatchlogs.New(cloudwatchlogs.Config{Store: s, Events: events, Log: slog.New(slog.DiscardHandler)})
	key := seal.NewRandomKey()
	handler, err := wire.NewHandler(wire.Config{
		Around:      front.Around,
		Credentials: func(string, string) (wire.Key, error) { return wire.Key{Secret: "secret"}, nil },
		Services: []wire.Service{
			{Name: "ec2", API: network},
			{Name: "elasticloadbalancing", API: balancing},
			{Name: "autoscaling", API: groups},
			{Name: "monitoring", API: metrics},
			{Name: "logs", API: c.Logs},
			{Name: "s3", API: c.Buckets},
			{Name: "ssm", API: ssm.New(ssm.Config{Store: s, Key: key, EnsureRegion: network.EnsureRegion})},
			{Name: "ec2messages", API: ec2messages.New(ec2messages.Config{Store: s})},
			{Name: "secretsmanager", API: secretsmanager.New(secretsmanager.Config{Store: s, Key: key})},
			{Name: "sns", API: sns.New(sns.Config{Store: s}), Unsigned: sns.Unsigned},
			{Name: "sts", API: sts.New(sts.Config{})},
			{Name: "ec2-instance-connect", API: ec2instanceconnect.New(ec2instanceconnect.Config{
				Store: s, Keys: &activekey.Set{},
			})},
			{Name: "iam", API: iam.New(iam.Config{Store: s})},
			{Name: "route53", API: route53.New(route53.Config{Store: s, Manners: &c.Manners})},
			{Name: "acm", API: acm.New(acm.Config{Store: s, Manners: &c.Manners})},
			{Name: "servicequotas", API: servicequotas.New(servicequotas.Config{Manners: &c.Manners})},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.handler = handler
	c.StartLoops(t)
	t.Cleanup(func() {
		c.StopLoops()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// StartLoops starts the control loops, as a starting daemon does.
func (c *Cloud) StartLoops(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	networks := &networks.Loop{
		Store:     c.Store,
		Plane:     &c.Network,
		Log:       log,
		Manners:   &c.Manners,
		Namespace: func(id string) string { return c.Machines.Status(id).Namespace },
	}
	instances := &instances.Loop{
		Store:    c.Store,
		Machines: &c.Machines,
		Network:  networks,
		Log:      log,
		Layer:    c.Layers.Path,
		Manners:  &c.Manners,
	}
	images := &images.Loop{
		Store: c.Store, Layers: &c.Layers, Instances: instances, Machines: &c.Machines, Log: log,
		Manners: &c.Manners,
	}
	balancers := &balancers.Loop{
		Store:     c.Store,
		Balancer:  &c.Balancer,
		Network:   networks,
		Namespace: c.Network.NodeNamespace,
		Log:       log,
		Manners:   &c.Manners,
	}
	natGateways := &natgateways.Loop{Store: c.Store, Network: networks, Log: log}
	commands := &commands.Loop{Store: c.Store, Log: log}
	endpoints := &endpoints.Loop{Store: c.Store, Network: networks, Log: log}
	scaling := &scaling.Loop{Store: c.Store, Fleet: c.Fleet, Log: log, Manners: &c.Manners}
	certificates := &certificates.Loop{Store: c.Store, Authority: c.authority(t), Log: log}
	ctx, cancel := context.WithCancel(context.Background())
	var loops sync.WaitGroup
	for _, run := range []func(context.Context) error{
		networks.Run, instances.Run, images.Run, balancers.Run, natGateways.Run, scaling.Run, endpoints.Run,
		certificates.Run, commands.Run, c.recheckHealth,
	} {
		loops.Go(func() {
			if err := run(ctx); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		})
	}
	c.StopLoops = func() { cancel(); loops.Wait() }
}

// authority returns the certificate authority, which starts of the loops share.
func (c *Cloud) authority(t *testing.T) *authority.Authority {
	t.Helper()
	if c.authorityDir == "" {
		c.authorityDir = t.TempDir()
	}
	a, err := authority.Open(c.authorityDir, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Roots returns the roots of the certificate authority.
func (c *Cloud) Roots(t *testing.T) *x509.CertPool {
	t.Helper()
	roots, a := x509.NewCertPool(), c.authority(t)
	roots.AppendCertsFromPEM(a.RootPEM())
	roots.AppendCertsFromPEM(a.PublicRootPEM())
	return roots
}

// recheckHealth makes the load balancer check its targets again whenever an
// instance changes.
func (c *Cloud) recheckHealth(ctx context.Context) error {
	for {
		view := c.Store.View()
		c.Balancer.RefreshHealth()
		if err := view.Changed(ctx, store.Instances); err != nil {
			return err
		}
	}
}

// health returns a target's health. A target is unhealthy if its instance has the
// tag "sick" or if it belongs to the failed release and may fail.
func (c *Cloud) health(target balancer.Target) balancer.Health {
	if hook := c.OnHealthCheck.Load(); hook != nil {
		(*hook)()
	}
	i, ok := store.Instances.Get(c.Store.View(), target.ID)
	if !ok {
		return simulated.Healthy
	}
	if sick := c.Sick.Load(); sick != nil && (*sick)(i) {
		return balancer.Health{
			State: "unhealthy", Reason: "Target.ResponseCodeMismatch",
			Description: "Health checks failed with these codes: [500]",
		}
	}
	if failed := c.FailedRelease.Load(); i.Tags["sick"] != "" ||
		failed != nil && i.Tags["aloft:release"] == *failed && c.mayFail(i) {
		return balancer.Health{State: "unhealthy", Reason: "Target.Timeout", Description: "Request timed out"}
	}
	return simulated.Healthy
}

// mayFail reports whether an instance of the failed release becomes unhealthy now:
// a server after it served, which a tag records; a group's instance at once, or
// with FailLate when the group has launched another one.
func (c *Cloud) mayFail(i *store.Instance) bool {
	inGroup := i.Tags["aloft:address"] == "member"
	return i.Tags["aloft:served"] != "" || inGroup && !c.FailLate.Load() ||
		inGroup && slices.ContainsFunc(store.Instances.List(c.Store.View()), func(other *store.Instance) bool {
			return other.ID != i.ID && other.Tags["aloft:address"] == "member" &&
				other.Tags["aloft:release"] == i.Tags["aloft:release"]
		})
}

// hostKeyConsole returns console output with a new SSH host key.
func hostKeyConsole(t *testing.T) []byte {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	line := string(ssh.MarshalAuthorizedKey(key))
	return []byte("-----BEGIN SSH HOST KEY KEYS-----\n" + line + "-----END SSH HOST KEY KEYS-----\n")
}

// Client returns a client of the cloud. If around is not nil, it wraps the
// client's transport.
func (c *Cloud) Client(t *testing.T, around func(http.RoundTripper) http.RoundTripper) *awsapi.Client {
	t.Helper()
	transport := http.RoundTripper(inProcess{c.handler})
	if around != nil {
		transport = withBody{around(transport)}
	}
	client, err := awsapi.New(t.Context(), awsapi.Options{
		Region: Region, Endpoint: "http://127.0.0.1", HTTPClient: &http.Client{Transport: transport},
		MaxBackoff:  50 * time.Millisecond,
		Credentials: aws.CredentialsProvider(credentials.NewStaticCredentialsProvider("AKIAALOFT", "secret", "")),
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// withBody gives requests without a body an empty one, as servers see it.
type withBody struct{ next http.RoundTripper }

func (b withBody) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r = r.Clone(r.Context())
		r.Body = http.NoBody
	}
	return b.next.RoundTrip(r)
}

// Serve serves the APIs on loopback until the test ends, for clients that need a
// socket. It returns the endpoint.
func (c *Cloud) Serve(t *testing.T) string {
	server := httptest.NewServer(c.handler)
	t.Cleanup(server.Close)
	return server.URL
}

// Until waits for the rows to be as they are to become.
func (c *Cloud) Until(t *testing.T, what string, is func(store.Reader) bool) {
	t.Helper()
	limit := time.Now().Add(20 * time.Second)
	for time.Now().Before(limit) {
		view := c.Store.View()
		if is(view) {
			return
		}
		if err := view.Changed(
			t.Context(), store.Instances, store.Images, store.Targets, store.ScalingInstances, store.ScalingGroups,
			store.ScalingActivities, store.InstanceRefreshes,
		); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatalf("it is not so: %s", what)
}
