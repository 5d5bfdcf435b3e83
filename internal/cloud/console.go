//go:build linux

package cloud

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/plane/loopback"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/console"
	"aloft.dev/aloft/internal/reachability"
)

// watched are the tables whose changes the console shows.
var watched = []store.Watchable{
	store.VPCs, store.Subnets, store.InternetGateways, store.RouteTables, store.NetworkACLs, store.SecurityGroups,
	store.NetworkInterfaces, store.NatGateways, store.Instances, store.LoadBalancers, store.TargetGroups,
	store.Listeners, store.Rules, store.Targets, store.ScalingActivities, store.Alarms,
	store.InstanceConnectEndpoints, store.Images, store.ScalingGroups, store.InstanceRefreshes,
}

// openConsole creates the console. It reads the APIs as a client in this process: what it
// reads is not among the calls that it shows, and has no manners.
func (d *daemon) openConsole(config wire.Config) error {
	credentials, err := host.EnsureCredentials(d.Layout)
	if err != nil {
		return err
	}
	handler, err := wire.NewHandler(wire.Config{Services: config.Services, Credentials: config.Credentials})
	if err != nil {
		return err
	}
	key := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{
			AccessKeyID: credentials.AccessKeyID, SecretAccessKey: credentials.SecretAccessKey,
			Source: d.Layout.StateDir,
		}, nil
	})
	d.console, err = console.New(console.Config{
		AWS: func(region string) aws.Config {
			return aws.Config{
				Region: region, Credentials: key, HTTPClient: inProcess{handler},
				BaseEndpoint: aws.String("http://127.0.0.1"),
			}
		},
		Watch: func() func(context.Context) error {
			view := d.store.View()
			return func(ctx context.Context) error { return view.Changed(ctx, watched...) }
		},
		Facts: d.factsOf, User: userOf, Calls: &d.calls, Counts: d.countsOfTargets, Now: time.Now,
		Pages: console.PagesConfig{Log: d.Log},
	})
	if err == nil {
		d.console.AddFallbacks()
	}
	return err
}

// actor makes a request the connection of a user's aloft console, which serves pages of the
// console until it ends. It returns errors until then.
func (d *daemon) actor(w http.ResponseWriter, r *http.Request) error {
	region := r.URL.Query().Get("region")
	switch {
	case !wire.CallerFrom(r.Context()).Principal.Owner(), wire.AccountFrom(r.Context()) != identity.Account:
		return wire.Errorf("AccessDenied", "Only the local cloud's own access key may do this.")
	case r.Header.Get("Upgrade") != host.ActorProtocol:
		return wire.Errorf("InvalidParameter", "The request does not upgrade to %s.", host.ActorProtocol)
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // both ends know why
	_ = conn.SetDeadline(time.Time{})   // those of a request's header
	err = d.console.Attach(r.Context(), region, console.Buffered{Conn: conn, Reader: buffered.Reader},
		func(link string) error {
			_, err := fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"+
				"Upgrade: %s\r\n%s: %s\r\n\r\n", host.ActorProtocol, host.ActorLink, link)
			return err
		})
	if err != nil {
		d.Log.Warn("serve aloft console", "error", err)
	}
	return nil // the connection is HTTP's no longer
}

// recordCall keeps a call for the console, which shows the local cloud's own account.
func (d *daemon) recordCall(a wire.Answer) {
	if a.Region.Account() != identity.Account {
		return
	}
	d.calls.Add(console.Call{
		At: time.Now(), Service: a.Service, Operation: a.Operation, Region: a.Region.Name(), Code: a.Code, Took: a.Took,
	})
}

// countsOfTargets returns what load balancers have counted of each target.
func (d *daemon) countsOfTargets(ctx context.Context) ([]console.Count, error) {
	targets, err := d.balancer.Targets(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]console.Count, len(targets))
	for i, t := range targets {
		all[i] = console.Count{
			Balancer: t.LoadBalancer, Zone: t.Zone, Group: t.TargetGroup, Target: t.ID, Port: t.Port,
			Requests: t.Requests, Failures: t.Failures, Times: make([]console.Timing, len(t.Times)),
		}
		for n, timing := range t.Times {
			all[i].Times[n] = console.Timing(timing)
		}
	}
	return all, nil
}

// factsOf returns what the kernel reports about a path that the console shows, or nil.
func (d *daemon) factsOf(ctx context.Context, p *reachability.Path) (*reachability.Facts, error) {
	at, err := netip.ParseAddr(p.To.Address)
	if err != nil || p.To.Interface == "" {
		return nil, nil //nolint:nilnil // the path leaves the cloud
	}
	outside, _ := netip.ParseAddr(p.From.Address) // the zero Addr is anywhere
	facts, err := d.probe(ctx, host.ProbeRequest{
		From: p.From.Interface, Outside: outside, To: p.To.Interface, At: netip.AddrPortFrom(at, p.Port), Try: true,
	})
	return &facts, err
}

// withConsole returns the handler of the APIs and the console.
func (d *daemon) withConsole(apis http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, console.Path) {
			d.console.ServeHTTP(w, r)
			return
		}
		apis.ServeHTTP(w, r)
	})
}

// connectionKey is the key of a request's connection in its context.
type connectionKey struct{}

func withConnection(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, conn)
}

// userOf returns the user of this host who sent a request.
func userOf(r *http.Request) (user string, known bool) {
	conn, ok := r.Context().Value(connectionKey{}).(net.Conn)
	if !ok {
		return "", false
	}
	uid, ok := loopback.UserOf(conn)
	return strconv.Itoa(uid), ok
}

// inProcess is an HTTP client of a handler in this process.
type inProcess struct{ handler http.Handler }

// Do serves a request.
func (p inProcess) Do(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host, r.RequestURI, r.RemoteAddr = r.URL.Host, r.URL.RequestURI(), "127.0.0.1:0"
	if r.Body == nil {
		r.Body = http.NoBody
	}
	answer := &answer{header: http.Header{}, status: http.StatusOK}
	p.handler.ServeHTTP(answer, r)
	return &http.Response{
		StatusCode: answer.status, Status: http.StatusText(answer.status), Proto: "HTTP/1.1", ProtoMajor: 1,
		ProtoMinor: 1, Header: answer.header, Body: io.NopCloser(&answer.body),
		ContentLength: int64(answer.body.Len()), Request: r,
	}, nil
}

// answer collects a response.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }
