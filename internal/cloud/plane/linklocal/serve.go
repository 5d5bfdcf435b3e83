//go:build linux

package linklocal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/admission"
	"aloft.dev/aloft/internal/cloud/plane/companion"
	"aloft.dev/aloft/internal/cloud/plane/dns"
)

// Services are the daemon's implementations of the services.
type Services struct {
	Metadata func(vpcID string) http.Handler // of one VPC; requests come from its machines' addresses
	API      http.Handler
	// Endpoint answers at a network interface of a VPC endpoint, and Identity returns the certificate
	// there.
	Endpoint func(interfaceID string) http.Handler
	Identity func(interfaceID string) (Identity, error)
	Names    dns.Names
	// NameServers returns those of the host, for names outside the local cloud.
	NameServers func() ([]netip.AddrPort, error)
}

// The timeouts of a connection to a name server, and of the end of a stream whose answer is
// complete.
const (
	connectTimeout = 3 * time.Second
	drainTimeout   = 5 * time.Second
)

// server answers the calls of the process.
type server struct {
	Services
	log     *slog.Logger
	slots   chan struct{} // one for each call; the process waits while there is none
	running sync.WaitGroup
}

// serve answers the streams that come over a connection until it ends, or ctx does.
func (s *server) serve(ctx context.Context, conn *net.UnixConn) error {
	defer s.running.Wait()
	for {
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		stream, err := receiveStream(conn)
		if err != nil {
			<-s.slots
			return err
		}
		s.running.Go(func() {
			defer func() { <-s.slots }()
			defer func() { _ = stream.Close() }()
			stop := stream.CloseWith(ctx)
			defer stop()
			if err := s.answer(ctx, stream); err != nil && ctx.Err() == nil {
				s.log.Debug("answer a call of the link-local process", "error", err)
			}
		})
	}
}

// receiveStream receives the other end of a Pair.
func receiveStream(conn *net.UnixConn) (*Stream, error) {
	_, files, err := companion.ReceiveBytes(conn, make([]byte, 1))
	if err != nil {
		return nil, err
	}
	if len(files) != 1 {
		companion.CloseAll(files)
		return nil, fmt.Errorf("a stream comes with %d files", len(files))
	}
	return newStream(files[0])
}

// SendStream sends the other end of a Pair, and closes it.
func SendStream(conn *net.UnixConn, far *os.File) error {
	defer func() { _ = far.Close() }()
	return companion.SendBytes(conn, []byte{0}, far)
}

// answer answers one call.
func (s *server) answer(ctx context.Context, stream *Stream) error {
	f := NewFrame()
	defer f.Free()
	if err := stream.SetReadDeadline(time.Now().Add(drainTimeout)); err != nil {
		return fmt.Errorf("receive a call: %w", err)
	}
	if err := stream.Receive(f); err != nil {
		return err
	}
	if err := stream.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("receive a call: %w", err)
	}
	switch f.Kind() {
	case KindHTTP:
		var request Request
		if err := request.Parse(f.Payload()); err != nil {
			return err
		}
		return s.serveHTTP(ctx, stream, &request)
	case KindQuestion:
		var question Question
		if err := question.Parse(f.Payload()); err != nil {
			return err
		}
		answer, known := s.Names.Find(
			admission.Source{VPC: question.VPC, Address: question.Machine}, question.Name, question.Kind,
		)
		return stream.SendMessage(KindFound, &Found{
			Known: known, Exists: answer.Exists, Records: answer.Records, Authority: answer.Authority,
			Synthesize: answer.Synthesize,
		})
	case KindConnect:
		var connect Connect
		if err := connect.Parse(f.Payload()); err != nil {
			return err
		}
		return s.connect(ctx, stream, connect)
	case KindIdentify:
		var identify Identify
		if err := identify.Parse(f.Payload()); err != nil {
			return err
		}
		identity, err := s.Identity(identify.Interface)
		if err != nil {
			return err
		}
		return stream.SendMessage(KindIdentity, &identity)
	}
	return errEncoding
}

// connect answers with a socket that is connected with a name server of the host.
func (s *server) connect(ctx context.Context, stream *Stream, connect Connect) error {
	servers, err := s.NameServers()
	if err != nil {
		return stream.SendMessage(KindConnected, &Connected{Present: true, Error: err.Error()})
	}
	if int(connect.Server) >= len(servers) {
		return stream.SendMessage(KindConnected, &Connected{})
	}
	file, err := dial(ctx, connect.Network, servers[connect.Server])
	if err != nil {
		return stream.SendMessage(KindConnected, &Connected{Present: true, Error: err.Error()})
	}
	defer func() { _ = file.Close() }()
	return stream.SendMessage(KindConnected, &Connected{Present: true}, file)
}

// dial returns a connected socket.
func dial(ctx context.Context, network string, to netip.AddrPort) (*os.File, error) {
	dialer := net.Dialer{Timeout: connectTimeout}
	conn, err := dialer.DialContext(ctx, network, to.String())
	if err != nil {
		return nil, fmt.Errorf("connect to a name server: %w", err)
	}
	defer func() { _ = conn.Close() }()
	socket, ok := conn.(interface{ File() (*os.File, error) })
	if !ok {
		return nil, errors.ErrUnsupported
	}
	return socket.File()
}
