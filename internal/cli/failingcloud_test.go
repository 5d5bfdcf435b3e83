//go:build linux

package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/test/simulation"
)

func TestMain(m *testing.M) {
	home, err := os.MkdirTemp("", "aloft-cli-test-")
	if err != nil {
		panic(err)
	}
	for name, value := range map[string]string{"HOME": home, "XDG_DATA_HOME": "", "SUDO_USER": ""} {
		_ = os.Setenv(name, value)
	}
	code := m.Run()
	_ = os.RemoveAll(home)
	os.Exit(code)
}

// failingTransport fails every call of one operation with an AWS error code, and
// records the operations that are called.
type failingTransport struct {
	next      http.RoundTripper
	operation string // "" to fail none
	code      string // "" for the page of a web server that does not know the operation

	mu     sync.Mutex
	called []string
}

// awsMessage is the message of the errors.
const awsMessage = "this call fails in the test"

func (f *failingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	name := simulation.Operation(r, body)
	f.mu.Lock()
	if !slices.Contains(f.called, name) {
		f.called = append(f.called, name)
	}
	f.mu.Unlock()
	if name != f.operation {
		return f.next.RoundTrip(r)
	}
	return errorResponse(r, string(body), f.code), nil
}

// errorResponse returns an error in the protocol of the request.
func errorResponse(r *http.Request, body, code string) *http.Response {
	if code == "" {
		header := http.Header{"Content-Type": {"text/html"}}
		return &http.Response{
			StatusCode: http.StatusNotFound, ProtoMajor: 1, ProtoMinor: 1, Header: header,
			Body: io.NopCloser(strings.NewReader("<!doctype html>\n<title>404 Not Found</title>\n")), Request: r,
		}
	}
	status := http.StatusForbidden
	if strings.HasPrefix(code, "Internal") {
		status = http.StatusInternalServerError
	}
	header := http.Header{}
	var text string
	switch {
	case r.Header.Get("X-Amz-Target") != "":
		header.Set("Content-Type", "application/x-amz-json-1.1")
		text = fmt.Sprintf(`{"__type": %q, "message": %q}`, code, awsMessage)
	case strings.Contains(r.URL.Path, "/operation/"):
		header.Set("Smithy-Protocol", "rpc-v2-cbor")
		header.Set("Content-Type", "application/cbor")
		text = "\xa2" + cborText("__type") + cborText(code) + cborText("message") + cborText(awsMessage)
	case strings.Contains(body, "Version=2016-11-15"): // EC2
		text = fmt.Sprintf(`<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors>`+
			`<RequestID>-</RequestID></Response>`, code, awsMessage)
	case strings.Contains(r.Header.Get("Authorization"), "/s3/aws4_request"):
		text = fmt.Sprintf(`<Error><Code>%s</Code><Message>%s</Message></Error>`, code, awsMessage)
	default:
		text = fmt.Sprintf(`<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error>`+
			`<RequestId>-</RequestId></ErrorResponse>`, code, awsMessage)
	}
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Body: io.NopCloser(strings.NewReader(text)), Request: r,
	}
}

// cborText encodes a text of less than 256 bytes (RFC 8949, section 3.1).
func cborText(text string) string { return "\x78" + string([]byte{byte(len(text))}) + text }

// site is an application that commands are run on, in a cloud of its own.
type site struct {
	cloud   *simulation.Cloud
	dir     string
	release string
	server  *httptest.Server // where the load balancer's name leads
	secure  net.Listener     // and where its port 443 does
}

// siteSpec needs no time: nothing is watched, and requests do not have to finish.
const siteSpec = `app: shop-%s
start: node server.js
load_balancer: {port: %s, deregistration_delay: 0s}
release: {bake: 0s, watch: 0s}
%s`

func newSite(t *testing.T, more string) *site {
	t.Helper()
	s := &site{cloud: simulation.New(t), dir: t.TempDir(), release: "r1"}
	s.server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.server.Close)
	s.serveHTTPS(t)
	s.cloud.HostedZone(t, "example.com")
	address, err := url.Parse(s.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "aloft.yaml", fmt.Sprintf(siteSpec, address.Port(), address.Port(), more))
	s.write(t, "package.json", "{}")
	s.write(t, ".env", "TIER=free\n")
	return s
}

// serve answers as the load balancer does: it redirects HTTP if its listener does, and sets the
// header that the listener for HTTPS asks for.
func (s *site) serve(w http.ResponseWriter, r *http.Request) {
	for _, l := range store.Listeners.List(s.cloud.Store.View()) {
		hsts := l.Attributes["routing.http.response.strict_transport_security.header_value"]
		if r.TLS != nil && hsts != "" {
			w.Header().Set("Strict-Transport-Security", hsts)
		}
		if r.TLS == nil && l.Protocol == "HTTP" && l.Actions[0].Type == "redirect" {
			http.Redirect(w, r, "https://"+r.Host+r.URL.RequestURI(), http.StatusMovedPermanently)
		}
	}
}

// serveHTTPS serves the certificates of the cloud.
func (s *site) serveHTTPS(t *testing.T) {
	t.Helper()
	var parsed sync.Map // by ARN
	certificate := func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		for _, row := range store.Certificates.List(s.cloud.Store.View()) {
			if !slices.Contains(row.Request.Names, hello.ServerName) || row.Body == "" {
				continue
			}
			if known, ok := parsed.Load(row.ARN); ok {
				return known.(*tls.Certificate), nil
			}
			pair, err := tls.X509KeyPair([]byte(row.Body), []byte(row.Key))
			parsed.Store(row.ARN, &pair)
			return &pair, err
		}
		return nil, errors.New("no certificate has the name")
	}
	listener, err := tls.Listen("tcp4", "127.0.0.1:0", &tls.Config{GetCertificate: certificate})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0),
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	s.secure = listener
}

// write writes a file of the application.
func (s *site) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// edit replaces a text in the site's spec.
func (s *site) edit(t *testing.T, old, replacement string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "aloft.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("the spec lacks %q", old)
	}
	s.write(t, "aloft.yaml", strings.ReplaceAll(string(text), old, replacement))
}

// run runs a command line in which SITE stands for the application's folder, and
// returns its exit code and what it printed on standard error.
func (s *site) run(t *testing.T, transport *failingTransport, line string) (code int, stderr string) {
	t.Helper()
	return s.runThrough(t, func(next http.RoundTripper) http.RoundTripper {
		transport.next = next
		return transport
	}, line)
}

// runThrough is like run, with a transport around the one to the cloud.
func (s *site) runThrough(
	t *testing.T, around func(http.RoundTripper) http.RoundTripper, line string,
) (code int, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	g := newGlobal("v0", Stdio{In: &bytes.Buffer{}, Out: &out, Err: &problems})
	client := s.cloud.Client(t, around)
	g.connect = func(context.Context, string, bool) (*awsapi.Client, error) { return client, nil }
	g.probe = nil
	g.newBuilder = func(context.Context, *spec.Spec) apply.Builder {
		return &simulation.Builder{ReleaseName: s.release}
	}
	g.sourceAddress = func(context.Context, netip.Addr) ([]netip.Prefix, error) {
		return []netip.Prefix{netip.MustParsePrefix("198.18.0.9/32")}, nil
	}
	g.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == "127.0.0.1:443" {
			address = s.secure.Addr().String()
		}
		if strings.HasPrefix(address, "127.0.0.1:") {
			return new(net.Dialer).DialContext(ctx, network, address)
		}
		<-ctx.Done() // all other ports of servers are closed
		return nil, ctx.Err()
	}
	g.roots = func() *x509.CertPool { return s.cloud.Roots(t) }
	g.patience = time.Minute // many tests share the processors
	root := newRootCommand(g)
	replaceSSH(root, g)
	root.SetArgs(strings.Fields(strings.ReplaceAll(line, "SITE", s.dir)))
	code = g.finish(t.Context(), root.ExecuteContext(t.Context()))
	return code, problems.String()
}

// must runs a command line that succeeds.
func (s *site) must(t *testing.T, line string) {
	t.Helper()
	if code, stderr := s.run(t, &failingTransport{}, line); code != ExitOK {
		t.Fatalf("aloft %s: exit code %d\n%s", line, code, stderr)
	}
}
