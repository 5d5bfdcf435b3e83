//go:build linux

package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

// http2Backend starts a server that understands HTTP/2 alone, and returns it as a target.
func http2Backend(t *testing.T, secure bool, handler http.HandlerFunc) balancer.Target {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.Config.Protocols = new(http.Protocols)
	if secure {
		s.Config.Protocols.SetHTTP2(true)
		s.EnableHTTP2 = true
		s.StartTLS()
	} else {
		s.Config.Protocols.SetUnencryptedHTTP2(true)
		s.Start()
	}
	t.Cleanup(s.Close)
	return balancertest.Target("b", s.Listener.Addr())
}

// toHTTP2 is overHTTP2 with targets that use a version of HTTP.
func toHTTP2(t *testing.T, version balancer.Version, secure bool, handler http.HandlerFunc) http2Setup {
	t.Helper()
	s := overHTTP2(t, nil)
	group := &s.conf.TargetGroups[0]
	group.Targets = []balancer.Target{http2Backend(t, secure, handler)}
	group.Version, group.Check.Version = version, version
	group.TLS, group.Check.TLS = secure, secure
	group.Check.Timeout, group.Check.Interval = time.Second, 2*time.Second
	if version == balancer.GRPC {
		group.Check.Matcher = balancer.Matcher{{First: 0, Last: 0}, {First: 12, Last: 12}}
	}
	s.engine.Set(s.conf)
	waitHealthy(t, s.engine)
	return s
}

func TestTargetsOfHTTP2(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprint("secure=", secure), func(t *testing.T) {
			s := toHTTP2(t, balancer.HTTP2, secure, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Got", fmt.Sprint(r.Proto, " ", r.Host, r.RequestURI, " ", r.Header["User-Agent"],
					r.Header.Get("X-Forwarded-Proto")))
				n, _ := io.Copy(w, r.Body)
				w.Header().Set(http.TrailerPrefix+"X-Sum", fmt.Sprint(n))
			})
			big := strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB
			var all sync.WaitGroup
			for range 10 {
				all.Go(func() {
					req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, url(s.port, "/a%2Fb?c=%20"),
						strings.NewReader(big))
					req.Header["User-Agent"] = nil
					resp, err := s.Do(req)
					if err != nil {
						t.Error(err)
						return
					}
					body, err := io.ReadAll(resp.Body)
					if string(body) != big || err != nil || resp.Trailer.Get("X-Sum") != fmt.Sprint(len(big)) {
						t.Errorf("%d bytes, %v, trailer %v", len(body), err, resp.Trailer)
					}
					want := fmt.Sprintf("HTTP/2.0 %s:%d/a%%2Fb?c=%%20 []https", balancertest.DNSName, s.port)
					if got := resp.Header.Get("Got"); got != want {
						t.Errorf("the target got %q, want %q", got, want)
					}
				})
			}
			all.Wait()
			for _, method := range []string{http.MethodHead, http.MethodGet} {
				if resp, body := do(t, s.Client, method, url(s.port, "/"), nil); resp.StatusCode != 200 || body != "" {
					t.Errorf("%s: %d %q", method, resp.StatusCode, body)
				}
			}
		})
	}
}

func TestRequestsThatTargetsDoNotUnderstandGet464(t *testing.T) {
	handler := func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Grpc-Status", "0") }
	one, two := toHTTP2(t, balancer.HTTP2, false, handler), toHTTP2(t, balancer.GRPC, false, handler)
	http1 := newClient(t, "127.0.1.1", false, nil)
	for _, c := range []struct {
		what   string
		client *http.Client
		method string
		url    string
		want   int
	}{
		{"HTTP/1.1 to HTTP/2", http1, http.MethodGet, url(one.port, "/"), 464},
		{"HTTP/2 to HTTP/2", one.Client, http.MethodGet, url(one.port, "/"), 200},
		{"HTTP/1.1 to gRPC", http1, http.MethodPost, url(two.port, "/"), 464},
		{"HTTP/2 to gRPC", two.Client, http.MethodGet, url(two.port, "/"), 464},
		{"a POST of HTTP/2 to gRPC", two.Client, http.MethodPost, url(two.port, "/"), 200},
	} {
		if resp, _ := do(t, c.client, c.method, c.url, nil); resp.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", c.what, resp.StatusCode, c.want)
		}
	}
}

// callGRPC makes a call whose message is a stream, and returns the response.
func callGRPC(ctx context.Context, t *testing.T, s http2Setup, path string, message io.Reader) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url(s.port, path), message)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/grpc")
	req.Header.Set("Te", "trailers")
	return s.Do(req)
}

// answerGRPC repeats every message at once, and fails calls of /fail without one.
func answerGRPC(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/grpc")
	if r.URL.Path == "/fail" || r.URL.Path == "/" { // the health check asks for /
		w.Header().Set("Grpc-Status", "12")
		return
	}
	if r.Header.Get("Te") != "trailers" {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.(http.Flusher).Flush() // the test begins to send when it has the head
	part := make([]byte, 1024)
	for {
		n, err := r.Body.Read(part)
		_, _ = w.Write(part[:n])
		w.(http.Flusher).Flush()
		if err != nil {
			break
		}
	}
	w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
}

func TestGRPCCallsStreamBothWays(t *testing.T) {
	s := toHTTP2(t, balancer.GRPC, false, answerGRPC)
	ours, theirs := io.Pipe()
	resp, err := callGRPC(t.Context(), t, s, "/echo", ours)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		message := fmt.Sprint("message ", i)
		if _, err := io.WriteString(theirs, message); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(message))
		if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != message {
			t.Fatalf("%q %v", got, err)
		}
	}
	_ = theirs.Close()
	if rest, err := io.ReadAll(resp.Body); len(rest) > 0 || err != nil {
		t.Errorf("%q %v", rest, err)
	}
	if resp.Trailer.Get("Grpc-Status") != "0" {
		t.Errorf("trailer %v", resp.Trailer)
	}
	resp, err = callGRPC(t.Context(), t, s, "/fail", strings.NewReader("message"))
	if err != nil || resp.Header.Get("Grpc-Status") != "12" {
		t.Errorf("%v %v", resp, err)
	}
	waitCounters(t, s.engine, "both calls are counted", func(c balancer.Counters) bool {
		sums := c.Nodes[0].Groups[0].Sums
		return sums["GrpcRequestCount"] == 2 && sums["RequestCount"] == 2
	})
}

func TestGRPCCallThatIsCancelledEndsAtTheTarget(t *testing.T) {
	asked, freed := make(chan struct{}), make(chan struct{})
	s := toHTTP2(t, balancer.GRPC, false, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			close(asked)
			<-r.Context().Done()
			close(freed)
		}
		answerGRPC(w, r)
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if _, err := callGRPC(ctx, t, s, "/wait", http.NoBody); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	<-freed
}

func TestTargetOfHTTP2ThatIsGoneIsABadGateway(t *testing.T) {
	s := toHTTP2(t, balancer.HTTP2, false, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler)
		}
	})
	if resp, _ := get(t, s.Client, url(s.port, "/abort")); resp.StatusCode != http.StatusBadGateway {
		t.Errorf("a stream that the target resets: %d", resp.StatusCode)
	}
	group := &s.conf.TargetGroups[0]
	group.Targets[0].Port = balancertest.FreePort(t)
	s.engine.Set(s.conf)
	if resp, _ := get(t, s.Client, url(s.port, "/")); resp.StatusCode != http.StatusBadGateway {
		t.Errorf("a target that refuses: %d", resp.StatusCode)
	}
}
