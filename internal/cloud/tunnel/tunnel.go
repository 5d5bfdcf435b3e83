// Package tunnel serves the tunnels of EC2 Instance Connect Endpoints: WebSockets at an
// endpoint's name that carry one TCP connection from the endpoint's network interface to a
// private address. Security groups, network ACLs and routes apply to the connection as to
// every other.
//
// The protocol is that of the AWS CLI (aws ec2-instance-connect open-tunnel): a presigned GET
// of /openTunnel, binary messages both ways, and a reason in the closing frame. Limits are
// those of the Amazon EC2 User Guide, Connect to your instances using EC2 Instance Connect
// Endpoint.
package tunnel

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"aloft.dev/aloft/internal/cloud/quota"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Path is where clients open tunnels, and Service the service in the scope of their
// signatures.
const (
	Path    = "/openTunnel"
	Service = "ec2-instance-connect"
)

// dialTimeout limits the attempt to connect to a target.
const dialTimeout = 10 * time.Second

// unreachable is the reason with which the tunnel to a target closes that does not accept a
// connection, as users of AWS report it.
const unreachable = "Unable to connect to target"

// Config configures a Server.
type Config struct {
	Store *store.Store
	// Authorize returns an error unless the caller of ctx may make a call. The input of the
	// operation OpenTunnel is an *OpenTunnelInput.
	Authorize func(ctx context.Context, call wire.Call) error
	// Dial connects from a network interface.
	Dial func(ctx context.Context, interfaceID string, to netip.AddrPort) (net.Conn, error)
	Log  *slog.Logger
}

// Server serves the tunnels of all endpoints.
type Server struct {
	Config
	ctx   context.Context //nolint:containedctx // ends all tunnels, which outlive their requests' contexts
	end   context.CancelFunc
	mu    sync.Mutex
	ended bool
	open  map[string]int // tunnels by the endpoint's id
	all   sync.WaitGroup
}

// New returns a server. Run ends its tunnels.
func New(c Config) *Server {
	s := &Server{Config: c, open: map[string]int{}}
	s.ctx, s.end = context.WithCancel(context.Background())
	return s
}

// Run waits until ctx ends, then ends all tunnels and waits for them.
func (s *Server) Run(ctx context.Context) error {
	<-ctx.Done()
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.end()
	s.all.Wait()
	return nil
}

// Open opens the tunnel that a request asks for and serves it until it ends. The error is
// one of the request, before the tunnel is open.
func (s *Server) Open(w http.ResponseWriter, r *http.Request) error {
	request, err := parse(r.URL.Query())
	if err != nil {
		return err
	}
	call := wire.Call{Service: Service, Operation: "OpenTunnel", Input: request}
	if err := s.Authorize(r.Context(), call); err != nil {
		return err
	}
	endpoint, err := s.endpoint(r, request)
	if err != nil {
		return err
	}
	leave, err := s.enter(endpoint.ID)
	if err != nil {
		return err
	}
	defer leave()
	socket, err := websocket.Accept(w, r, nil)
	if err != nil {
		return nil // Accept has sent the error
	}
	// The request's context ends with the server's handler, which waits for the tunnel.
	ctx, cancel := context.WithTimeout(s.ctx, request.duration)
	defer cancel()
	s.Log.LogAttrs(ctx, slog.LevelInfo, "open a tunnel", slog.String("endpoint", endpoint.ID),
		slog.String("to", request.target.String()))
	s.carry(ctx, socket, endpoint.InterfaceID, request.target, s.deleted(ctx, endpoint.ID))
	return nil
}

// endpoint returns the endpoint that a request names, if it can serve the request.
func (s *Server) endpoint(r *http.Request, request *OpenTunnelInput) (*store.InstanceConnectEndpoint, error) {
	view := s.Store.View()
	row, ok := store.InstanceConnectEndpoints.Get(view, request.InstanceConnectEndpointId)
	if !ok || row.Region != wire.RegionFrom(r.Context()) || !strings.EqualFold(row.DNSName, hostName(r.Host)) {
		return nil, wire.Errorf("InvalidInstanceConnectEndpointId.NotFound",
			"The EC2 Instance Connect Endpoint %s does not exist at %s.",
			request.InstanceConnectEndpointId, hostName(r.Host))
	}
	if !row.Serves(time.Now()) {
		return nil, wire.Errorf("InvalidInstanceConnectEndpointState",
			"The EC2 Instance Connect Endpoint %s is not in the state create-complete.", row.ID)
	}
	vpc, ok := store.VPCs.Get(view, row.VPCID)
	if !ok || !vpc.Contains(request.target.Addr()) {
		return nil, wire.Errorf("InvalidParameter",
			"The specified PrivateIpAddress %s is not an address of the endpoint's VPC.", request.PrivateIpAddress)
	}
	return row, nil
}

func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

// enter counts a tunnel of an endpoint until leave is called.
func (s *Server) enter(endpoint string) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch limit := quota.ConnectTunnels.Applied(true); {
	case s.ended:
		return nil, wire.ErrHangUp
	case s.open[endpoint] >= limit:
		return nil, &wire.Error{
			Code: "TooManyConnections", Status: http.StatusTooManyRequests,
			Message: "The EC2 Instance Connect Endpoint has reached its maximum number of concurrent connections.",
		}
	}
	s.open[endpoint]++
	s.all.Add(1)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.open[endpoint]--; s.open[endpoint] == 0 {
			delete(s.open, endpoint)
		}
		s.all.Done()
	}, nil
}

// deleted returns a channel that is closed when an endpoint is deleted or ctx ends.
func (s *Server) deleted(ctx context.Context, id string) <-chan struct{} {
	gone := make(chan struct{})
	s.all.Go(func() {
		defer close(gone)
		for {
			view := s.Store.View()
			if row, ok := store.InstanceConnectEndpoints.Get(view, id); !ok || row.Deleting {
				return
			}
			if view.Changed(ctx, store.InstanceConnectEndpoints) != nil {
				return
			}
		}
	})
	return gone
}

// carry connects to the target and carries bytes both ways until one side ends, ctx does,
// or the endpoint is deleted.
func (s *Server) carry(
	ctx context.Context, socket *websocket.Conn, from string, to netip.AddrPort, gone <-chan struct{},
) {
	defer func() { _ = socket.CloseNow() }()
	target, err := s.dial(ctx, from, to)
	if err != nil {
		s.Log.LogAttrs(ctx, slog.LevelInfo, "a tunnel's target is unreachable", slog.Any("error", err))
		_ = socket.Close(websocket.StatusInternalError, unreachable)
		return
	}
	defer func() { _ = target.Close() }()
	// Reads that end with ctx would close the connection before its closing frame.
	reading, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	client := websocket.NetConn(reading, socket, websocket.MessageBinary)
	ended := make(chan struct{}, 2)
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{target, client}, {client, target}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1]) // a WebSocket cannot be half closed: the end of one is that of both
			ended <- struct{}{}
		})
	}
	select {
	case <-gone: // also when ctx has ended
		_ = socket.Close(websocket.StatusPolicyViolation, closing(ctx))
	case <-ended:
		_ = socket.Close(websocket.StatusNormalClosure, "")
	}
	cancel()
	_ = target.Close()
	both.Wait()
}

// dial connects from a network interface to a target.
func (s *Server) dial(ctx context.Context, from string, to netip.AddrPort) (net.Conn, error) {
	bounded, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return s.Dial(bounded, from, to)
}

// closing returns the reason to close a tunnel from this side.
func closing(ctx context.Context) string {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return "Maximum tunnel duration reached"
	}
	return "The endpoint no longer serves this tunnel"
}
