//go:build linux

package process_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/dns"
	"aloft.dev/aloft/internal/cloud/plane/linklocal"
	"aloft.dev/aloft/internal/cloud/plane/linklocal/process"
)

// processArgument makes the test binary the link-local process.
const processArgument = "run-the-process"

// TestMain lets the test binary be the link-local process.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == processArgument {
		os.Exit(process.Run(os.Args[2:], os.Stderr))
	}
	os.Exit(m.Run())
}

// cloud is a local cloud with one VPC, whose machine is the test on loopback.
type cloud struct {
	*testing.T
	dir           string
	metadata, api http.HandlerFunc
	sockets       *linklocal.Sockets // of the first daemon
	stop          func()             // ends the daemon
	client        *linklocal.Client
}

// start starts a local cloud, which ends with the test.
func start(t *testing.T, metadata, api http.HandlerFunc) *cloud {
	t.Helper()
	c := &cloud{T: t, dir: filepath.Join(t.TempDir(), "linklocal"), metadata: metadata, api: api}
	c.startDaemon()
	t.Cleanup(func() {
		if err := c.client.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		c.stop()
	})
	return c
}

// startDaemon starts a daemon, which opens the sockets or adopts them.
func (c *cloud) startDaemon() {
	c.Helper()
	c.client = linklocal.NewClient(linklocal.Config{
		Dir: c.dir, Command: []string{os.Args[0], processArgument}, Output: os.Stderr, Calls: 64,
		Services: linklocal.Services{
			Metadata: func(vpcID string) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("X-Vpc", vpcID)
					c.metadata(w, r)
				})
			},
			API: c.api, Names: dns.Names{Zone: func(string, string) ([]netip.Addr, bool) { return nil, true }},
		},
		Log: slog.New(slog.NewTextHandler(c.Output(), nil)),
	})
	err := c.client.Open(c.Context(), linklocal.Place{ID: "vpc-1"}, func() (*linklocal.Sockets, error) {
		if c.sockets != nil {
			return nil, errors.New("the process does not serve any more")
		}
		c.sockets = &linklocal.Sockets{}
		for _, l := range []**net.TCPListener{&c.sockets.Metadata, &c.sockets.API} {
			var err error
			if *l, err = net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
				return nil, err
			}
		}
		return c.sockets, nil
	})
	if err != nil {
		c.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); c.client.Serve(ctx) }()
	c.stop = func() { cancel(); <-ended; c.client.Leave() }
}

func (c *cloud) metadataAt() string { return c.sockets.Metadata.Addr().String() }
func (c *cloud) apiAt() string      { return c.sockets.API.Addr().String() }

// dial opens a connection of a machine.
func dial(t *testing.T, to string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp4", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	return conn, bufio.NewReader(conn)
}

// send sends a raw request and returns the response with its body.
func send(t *testing.T, conn net.Conn, reader *bufio.Reader, raw string) (*http.Response, string) {
	t.Helper()
	if _, err := io.WriteString(conn, raw); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(raw, " ")
	response, err := http.ReadResponse(reader, &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func noHandler(http.ResponseWriter, *http.Request) {}

func TestMetadataRequestsReachTheDaemonNormalised(t *testing.T) {
	c := start(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %q %q %v %d", r.Method, r.URL.Path, r.URL.EscapedPath(), r.URL.RawQuery, r.Header,
			r.ContentLength)
	}, noHandler)
	conn, reader := dial(t, c.metadataAt())
	for raw, want := range map[string]string{
		"GET /latest/a%2fb/?x=%zz HTTP/1.1\r\nHost: h\r\nX-Other: 1\r\nx-aws-ec2-metadata-token: t\r\n\r\n": `GET ` +
			`/latest/a/b/ "/latest/a%2fb/" "x=%zz" map[X-Aws-Ec2-Metadata-Token:[t]] 0`,
		"PUT /latest/api/token HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: p\r\nContent-Length: 2\r\n\r\nab": `PUT ` +
			`/latest/api/token "/latest/api/token" "" map[X-Forwarded-For:[p]] 0`,
		"HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n": "",
	} {
		response, body := send(t, conn, reader, raw) // all on one connection
		if body != want || response.Header.Get("X-Vpc") != "vpc-1" {
			t.Errorf("%q: got %q of %s, want %q", raw, body, response.Header.Get("X-Vpc"), want)
		}
	}
}

func TestMalformedRequestsDoNotReachTheDaemon(t *testing.T) {
	reached := func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s reaches the daemon", r.URL) }
	c := start(t, reached, reached)
	for raw, want := range map[string]int{
		"GET / HTTP/1.1\r\n\r\n":                                                      400,
		"GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n":                                        400,
		"GET / HTTP/1.1\r\nHost: h\r\nA B: c\r\n\r\n":                                 400,
		"GET / HTTP/3.1\r\nHost: h\r\n\r\n":                                           505,
		"GET / HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n": 431,
		"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: a\r\n\r\n":                   501,
	} {
		for _, at := range []string{c.metadataAt(), c.apiAt()} {
			conn, reader := dial(t, at)
			if response, _ := send(t, conn, reader, raw); response.StatusCode != want {
				t.Errorf("%.40q: got %d, want %d", raw, response.StatusCode, want)
			}
		}
	}
}

func TestBodiesPassInBothDirectionsOnOneConnection(t *testing.T) {
	c := start(t, noHandler, func(w http.ResponseWriter, r *http.Request) {
		w.Header()["X-Case"] = []string{"a", "b"}
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	})
	conn, reader := dial(t, c.apiAt())
	text := strings.Repeat("0123456789abcdef", 64<<10/16)
	for _, n := range []int{0, 1, 100, 1 << 10, 1 << 15, len(text)} {
		raw := fmt.Sprintf("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", n, text[:n])
		response, body := send(t, conn, reader, raw)
		if body != text[:n] || len(response.Header["X-Case"]) != 2 || response.Close {
			t.Errorf("of %d bytes, %d come back: %v", n, len(body), response.Header)
		}
		raw = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" +
			fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", n, text[:n])
		if n == 0 {
			continue // that is the last chunk already
		}
		if _, body = send(t, conn, reader, raw); body != text[:n] {
			t.Errorf("of %d bytes in chunks, %d come back", n, len(body))
		}
	}
}

func TestBodiesAreReadWhenTheDaemonWantsThem(t *testing.T) {
	c := start(t, noHandler, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refused" {
			w.Header().Set("Connection", "close")
			w.WriteHeader(http.StatusForbidden)
			return
		}
		n, err := io.CopyN(io.Discard, r.Body, 4)
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintln(w, n, err)
	})
	const head = " HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
	conn, reader := dial(t, c.apiAt())
	if response, _ := send(t, conn, reader, "POST /refused"+head); response.StatusCode != http.StatusForbidden {
		t.Errorf("got %s, want no body to be asked for", response.Status)
	}
	conn, reader = dial(t, c.apiAt())
	if response, _ := send(t, conn, reader, "POST /"+head); response.StatusCode != http.StatusContinue {
		t.Errorf("got %s, want 100", response.Status)
	}
	response, body := send(t, conn, reader, "abcdefgh") // the rest never comes
	if response.StatusCode != http.StatusAccepted || body != "4 <nil>\n" {
		t.Errorf("got %s %q", response.Status, body)
	}
	if _, err := reader.ReadByte(); err == nil {
		t.Error("the connection, whose request has not ended, is open")
	}
}

func TestAMachineThatLeavesEndsItsRequest(t *testing.T) {
	asked, ended := make(chan struct{}), make(chan error)
	c := start(t, noHandler, func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		_, err := io.ReadAll(r.Body)
		if err == nil {
			<-r.Context().Done()
			err = r.Context().Err()
		}
		ended <- err
	})
	for _, raw := range []string{
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf",
	} {
		conn, _ := dial(t, c.apiAt())
		if _, err := io.WriteString(conn, raw); err != nil {
			t.Fatal(err)
		}
		<-asked
		_ = conn.Close()
		if err := <-ended; err == nil {
			t.Errorf("%q: a body without its end is read without an error", raw)
		}
	}
}

func TestAHandlersPanicClosesTheConnection(t *testing.T) {
	c := start(t, noHandler, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	conn, reader := dial(t, c.apiAt())
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.ReadByte(); err == nil {
		t.Error("the connection is open")
	}
}

func TestTheNextDaemonContinues(t *testing.T) {
	var answer atomic.Value // of http.HandlerFunc
	setAnswer := func(handler http.HandlerFunc) { answer.Store(handler) }
	handler := func(w http.ResponseWriter, r *http.Request) { answer.Load().(http.HandlerFunc)(w, r) }
	setAnswer(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "first") })
	c := start(t, handler, handler)
	conn, reader := dial(t, c.metadataAt())
	const request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	if _, body := send(t, conn, reader, request); body != "first" {
		t.Fatalf("got %q", body)
	}
	asked, leaving := make(chan struct{}), make(chan struct{})
	setAnswer(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-leaving
		panic(http.ErrAbortHandler) // as a daemon that is killed
	})
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	<-asked
	setAnswer(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "second") })
	close(leaving)
	c.stop()
	c.startDaemon()
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(response.Body); string(body) != "second" {
		t.Errorf("the request that the first daemon did not answer: got %q, %v", body, err)
	}
}

// lines is a writer that sends what is written to it.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// A client that cannot give the process its sockets starts again, and ends with its context.
func TestAClientThatFailsStartsAgain(t *testing.T) {
	log := make(lines, 100)
	client := linklocal.NewClient(linklocal.Config{
		Dir: filepath.Join(t.TempDir(), "linklocal"), Command: []string{os.Args[0], processArgument},
		Output: os.Stderr, Calls: 1, Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	err := client.Open(t.Context(), linklocal.Place{ID: "vpc-1"}, func() (*linklocal.Sockets, error) {
		l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return nil, err
		}
		return &linklocal.Sockets{Metadata: l, API: l}, l.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); client.Serve(ctx) }()
	for range 2 {
		for !strings.Contains(<-log, "start another") {
			continue
		}
	}
	cancel()
	<-ended
	if err := client.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
