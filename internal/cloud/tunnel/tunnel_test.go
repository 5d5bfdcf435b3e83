package tunnel_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/tunnel"
	"aloft.dev/aloft/internal/cloud/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const name = "eice-1.12345678.ec2-instance-connect-endpoint.us-east-1.localhost"

// world is an endpoint, eice-1, whose targets are a service that repeats what it reads.
type world struct {
	t      *testing.T
	store  *store.Store
	server *httptest.Server
	dials  chan string // the interface and the target of each connection
	refuse error       // of connections to targets
	deny   error       // of calls
	calls  []wire.Call
	now    time.Time // of the server; zero: the present
	end    func()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: s, dials: make(chan string, 100)}
	w.put(func(*store.InstanceConnectEndpoint) {})
	if err := s.Update(func(tx *store.Tx) error {
		store.VPCs.Put(tx, &store.VPC{ID: "vpc-1", Region: "us-east-1", CIDR: netip.MustParsePrefix("10.0.0.0/16")})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := echo.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, conn); _ = conn.Close() }()
		}
	}()
	tunnels := tunnel.New(tunnel.Config{
		Store: s, Log: slog.New(slog.DiscardHandler),
		Authorize: func(_ context.Context, call wire.Call) error {
			w.calls = append(w.calls, call)
			return w.deny
		},
		Dial: func(ctx context.Context, from string, to netip.AddrPort) (net.Conn, error) {
			w.dials <- from + " " + to.String()
			if w.refuse != nil {
				return nil, w.refuse
			}
			return (&net.Dialer{}).DialContext(ctx, "tcp", echo.Addr().String())
		},
	})
	handler, err := wire.NewHandler(wire.Config{
		Streams: map[string]wire.Stream{tunnel.Path: {Service: tunnel.Service, Serve: tunnels.Open}},
		Credentials: func(string, string) (wire.Key, error) {
			return wire.Key{Secret: "secret"}, nil
		},
		Now: func() time.Time {
			if w.now.IsZero() {
				return time.Now()
			}
			return w.now
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewServer(handler)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- tunnels.Run(ctx) }()
	w.end = func() { cancel(); ended <- <-ended }
	t.Cleanup(func() { w.end(); w.server.Close(); echo.Close(); s.Close() })
	return w
}

// put stores the endpoint with a change.
func (w *world) put(change func(*store.InstanceConnectEndpoint)) {
	w.t.Helper()
	row := &store.InstanceConnectEndpoint{
		ID: "eice-1", Region: "us-east-1", VPCID: "vpc-1", InterfaceID: "eni-1", DNSName: name,
	}
	change(row)
	if err := w.store.Update(func(tx *store.Tx) error {
		store.InstanceConnectEndpoints.Put(tx, row)
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
}

// query returns the query of a request as the AWS CLI makes it, with changes.
func query(changes ...string) url.Values {
	q := url.Values{
		"instanceConnectEndpointId": {"eice-1"}, "remotePort": {"22"}, "privateIpAddress": {"10.0.1.5"},
	}
	for _, change := range changes {
		key, value, _ := strings.Cut(change, "=")
		q.Set(key, value)
	}
	return q
}

// open opens a tunnel. Its second result is what the server answers instead.
func (w *world) open(q url.Values, secret string) (net.Conn, string) {
	w.t.Helper()
	q.Set("X-Amz-Expires", "60")
	r, err := http.NewRequest(http.MethodGet, "http://"+name+"/openTunnel?"+q.Encode(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	empty := sha256.Sum256(nil)
	signed, _, err := v4.NewSigner().PresignHTTP(
		w.t.Context(), aws.Credentials{AccessKeyID: "key", SecretAccessKey: secret}, r, hex.EncodeToString(empty[:]),
		tunnel.Service, "us-east-1", time.Now(),
	)
	if err != nil {
		w.t.Fatal(err)
	}
	to := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", w.server.Listener.Addr().String())
	}}
	w.t.Cleanup(to.CloseIdleConnections)
	socket, response, err := websocket.Dial(
		w.t.Context(), signed, &websocket.DialOptions{HTTPClient: &http.Client{Transport: to}},
	)
	if err != nil {
		if response == nil {
			w.t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		return nil, string(body)
	}
	conn := websocket.NetConn(context.Background(), socket, websocket.MessageBinary)
	w.t.Cleanup(func() { _ = conn.Close() })
	return conn, ""
}

// opened opens a tunnel that must work.
func (w *world) opened(changes ...string) net.Conn {
	w.t.Helper()
	conn, refusal := w.open(query(changes...), "secret")
	if refusal != "" {
		w.t.Fatal(refusal)
	}
	if _, err := conn.Write([]byte("hello")); err != nil {
		w.t.Fatal(err)
	}
	got := make([]byte, 5)
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != "hello" {
		w.t.Fatalf("got %q, %v", got, err)
	}
	return conn
}

// closes reads to the end of a tunnel and returns the reason of its closing frame.
func (w *world) closes(conn net.Conn) (websocket.StatusCode, string) {
	w.t.Helper()
	_, err := io.Copy(io.Discard, conn)
	var closed websocket.CloseError
	if errors.As(err, &closed) {
		return closed.Code, closed.Reason
	}
	if err != nil {
		w.t.Error(err)
	}
	return websocket.StatusNormalClosure, ""
}

func TestATunnelConnectsFromTheEndpointsInterface(t *testing.T) {
	w := newWorld(t)
	w.opened()
	if got := <-w.dials; got != "eni-1 10.0.1.5:22" {
		t.Errorf("connected from and to %s", got)
	}
	got, ok := w.calls[0].Input.(*tunnel.OpenTunnelInput)
	if !ok || got.RemotePort != "22" || got.PrivateIpAddress != "10.0.1.5" || got.MaxTunnelDuration != "3600" {
		t.Errorf("authorized %+v", w.calls)
	}
}

// The URL is what botocore 1.43 returns for the request of aws ec2-instance-connect open-tunnel.
func TestTheSignatureOfTheAWSCLIIsAccepted(t *testing.T) {
	const signed = "/openTunnel?instanceConnectEndpointId=eice-1&remotePort=22&privateIpAddress=10.0.1.5" +
		"&X-Amz-Algorithm=AWS4-HMAC-SHA256" +
		"&X-Amz-Credential=key%2F20261129%2Fus-east-1%2Fec2-instance-connect%2Faws4_request" +
		"&X-Amz-Date=20261129T120000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host" +
		"&X-Amz-Signature=667d91a6a4ded15e49240004fcb777b782daeb4937c2778e3bada8c0cffe9b77"
	signedAt := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for after, want := range map[time.Duration]int{30 * time.Second: http.StatusTeapot, 61 * time.Second: 403} {
		handler, err := wire.NewHandler(wire.Config{
			Streams: map[string]wire.Stream{tunnel.Path: {
				Service: tunnel.Service, Serve: func(w http.ResponseWriter, _ *http.Request) error {
					w.WriteHeader(http.StatusTeapot)
					return nil
				},
			}},
			Now:         func() time.Time { return signedAt.Add(after) },
			Credentials: func(string, string) (wire.Key, error) { return wire.Key{Secret: "secret"}, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		r, answer := httptest.NewRequest(http.MethodGet, signed, nil), httptest.NewRecorder()
		r.Host = name
		if handler.ServeHTTP(answer, r); answer.Code != want {
			t.Errorf("after %s: %d %s", after, answer.Code, answer.Body)
		}
	}
}

func TestLargeAmountsPass(t *testing.T) {
	w := newWorld(t)
	conn := w.opened()
	sent := strings.Repeat("0123456789abcdef", 1<<16)
	go func() { _, _ = io.WriteString(conn, sent) }()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != sent {
		t.Errorf("a mebibyte came back different: %v", err)
	}
}

func TestRefusedRequests(t *testing.T) {
	for title, test := range map[string]struct {
		changes []string
		change  func(*store.InstanceConnectEndpoint)
		deny    error
		secret  string
		want    string
	}{
		"another port": {
			changes: []string{"remotePort=5432"},
			want: `{"ErrorCode":"InvalidParameter","Message":"The specified RemotePort is not valid. ` +
				`Specify either 22 or 3389 as the RemotePort and retry your request."}`,
		},
		"an address outside":   {changes: []string{"privateIpAddress=10.1.0.1"}, want: "not an address of"},
		"the metadata service": {changes: []string{"privateIpAddress=169.254.169.254"}, want: "not an address of"},
		"a name":               {changes: []string{"privateIpAddress=localhost"}, want: "PrivateIpAddress"},
		"too long":             {changes: []string{"maxTunnelDuration=3601"}, want: "between 1 and 3600 seconds"},
		"another endpoint":     {changes: []string{"instanceConnectEndpointId=eice-2"}, want: "NotFound"},
		"another name": {
			change: func(row *store.InstanceConnectEndpoint) { row.DNSName = "eice-1.other.localhost" },
			want:   "NotFound",
		},
		"another Region": {
			change: func(row *store.InstanceConnectEndpoint) { row.Region = "us-west-2" }, want: "NotFound",
		},
		"one in creation": {
			change: func(row *store.InstanceConnectEndpoint) { row.ReadyAt = time.Now().Add(time.Hour) },
			want:   "not in the state create-complete",
		},
		"one in deletion": {
			change: func(row *store.InstanceConnectEndpoint) { row.Deleting = true },
			want:   "not in the state create-complete",
		},
		"a denied call": {deny: wire.Errorf("AccessDenied", "no"), want: `{"ErrorCode":"AccessDenied","Message":"no"}`},
		"a wrong key":   {secret: "other", want: "SignatureDoesNotMatch"},
	} {
		t.Run(title, func(t *testing.T) {
			w := newWorld(t)
			if test.change != nil {
				w.put(test.change)
			}
			w.deny = test.deny
			secret := "secret"
			if test.secret != "" {
				secret = test.secret
			}
			if _, got := w.open(query(test.changes...), secret); !strings.Contains(got, test.want) {
				t.Errorf("got %s", got)
			}
			if len(w.dials) > 0 {
				t.Error("connected to the target")
			}
		})
	}
}

func TestATunnelsEndSaysWhy(t *testing.T) {
	w := newWorld(t)
	w.refuse = errors.New("refused")
	conn, refusal := w.open(query(), "secret")
	if refusal != "" {
		t.Fatal(refusal)
	}
	if code, why := w.closes(conn); code == websocket.StatusNormalClosure || why != "Unable to connect to target" {
		t.Errorf("closed with %d %q", code, why)
	}
	w.refuse = nil
	conn = w.opened("maxTunnelDuration=1")
	if _, why := w.closes(conn); why != "Maximum tunnel duration reached" {
		t.Errorf("closed with %q", why)
	}
	conn = w.opened()
	w.put(func(row *store.InstanceConnectEndpoint) { row.Deleting = true })
	if _, why := w.closes(conn); why != "The endpoint no longer serves this tunnel" {
		t.Errorf("closed with %q", why)
	}
	w.put(func(*store.InstanceConnectEndpoint) {})
	conn = w.opened()
	ended := make(chan struct{})
	go func() { defer close(ended); w.end() }()
	if _, why := w.closes(conn); why != "The endpoint no longer serves this tunnel" {
		t.Errorf("the server's end closed it with %q", why)
	}
	<-ended
}

func TestAnEndpointHasTwentyTunnels(t *testing.T) {
	w := newWorld(t)
	var first net.Conn
	for range 20 {
		first = w.opened()
	}
	if _, got := w.open(query(), "secret"); !strings.Contains(got, "TooManyConnections") {
		t.Errorf("the 21st: %s", got)
	}
	_ = first.Close()
	for { // the server notices the end in its own time
		conn, refusal := w.open(query(), "secret")
		if refusal == "" {
			_ = conn.Close()
			return
		}
	}
}
