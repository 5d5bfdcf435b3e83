package proof_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/proof"
	"aloft.dev/aloft/internal/remote"
)

// machine is this computer as a machine with an address and a unit.
type machine struct {
	address  string
	restarts func() int
}

func (m machine) Query(_ context.Context, command string, _ remote.Input, line func(string)) error {
	if command == "hostname -I" {
		line(m.address + " ")
		return nil
	}
	if command != "systemctl show -p NRestarts -p InvocationID 'aloft-shop.service'" {
		return errors.New("unknown command " + command)
	}
	n := m.restarts()
	line(fmt.Sprintf("NRestarts=%d", n))
	line(fmt.Sprintf("InvocationID=%d", n))
	return nil
}

func (m machine) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

func never() int { return 0 }

func serve(t *testing.T, handler http.HandlerFunc, configure func(*http.Server)) (port int) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	if configure != nil {
		configure(server.Config)
	}
	server.Start()
	t.Cleanup(server.Close)
	return server.Listener.Addr().(*net.TCPAddr).Port
}

func run(t *testing.T, c proof.Check, m machine) (said, noted string, err error) {
	t.Helper()
	c.Unit = "aloft-shop.service"
	err = c.Run(t.Context(), m, proof.Report{
		Say:  func(text string) { said += text + "\n" },
		Note: func(text string) { noted += text + "\n" },
	})
	return said, noted, err
}

func TestServiceThatPasses(t *testing.T) {
	asked := ""
	port := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ok" {
			asked = r.URL.String() + " " + r.UserAgent()
			w.WriteHeader(http.StatusFound)
		}
	}, nil)
	said, noted, err := run(t, proof.Check{
		Port: port, Path: "/ok?full=1", Matcher: "200, 300-399", Patience: time.Minute,
		Candidates: []string{"/healthz"},
	}, machine{"127.0.0.1", never})
	if !strings.Contains(noted, "/ok?full=1 redirects, and /healthz answers 200") {
		t.Errorf("noted %q", noted)
	}
	if err != nil || asked != "/ok?full=1 ELB-HealthChecker/2.0" || !strings.Contains(said, "/ok?full=1 answers 302") {
		t.Errorf("%v, asked for %s, said %s", err, asked, said)
	}
}

func TestServiceThatDoesNotPass(t *testing.T) {
	healthz := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}, nil)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := free.Addr().(*net.TCPAddr).Port
	_ = free.Close()
	crashes := 0
	for name, test := range map[string]struct {
		port          int
		machine       machine
		candidates    []string
		summary, hint string
	}{
		"login": {
			port: healthz, machine: machine{"127.0.0.1", never}, candidates: []string{"/health", "/healthz"},
			summary: "/ answers 401; the health check wants 200-299",
			hint:    "set load_balancer.health.path: /healthz, which answers 200",
		},
		"no other path": {
			port: healthz, machine: machine{"127.0.0.1", never},
			summary: "answers 401", hint: "set load_balancer.health.path to a path that needs no login",
		},
		"loopback": {
			port: healthz, machine: machine{"127.0.0.2", never},
			summary: "listens on 127.0.0.1 alone", hint: "0.0.0.0",
		},
		"nothing": {
			port: closed, machine: machine{"127.0.0.1", never},
			summary: "nothing answers on port", hint: "the variable PORT",
		},
		"crashes": {
			port: closed, machine: machine{"127.0.0.1", func() int { crashes += 2; return crashes }},
			summary: "the service has ended 4 times", hint: "the log above",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := run(t, proof.Check{
				Port: test.port, Path: "/", Matcher: "200-299", Patience: time.Second / 2, Candidates: test.candidates,
			}, test.machine)
			var d *diag.Diagnostic
			if !errors.As(err, &d) || !strings.Contains(d.Summary, test.summary) ||
				!strings.Contains(d.Hint, test.hint) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestServiceThatGoesWrongLater(t *testing.T) {
	var asked atomic.Int32
	failing := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) > 2 { // one for the first answer, one for the idle time
			w.WriteHeader(http.StatusInternalServerError)
		}
	}, nil)
	fine := serve(t, func(http.ResponseWriter, *http.Request) {}, nil)
	restarts := 0
	for name, test := range map[string]struct {
		port     int
		restarts func() int
		summary  string
	}{
		"fails":   {failing, never, "s it answers 500; the health check wants 200"},
		"restart": {fine, func() int { restarts++; return restarts }, "s, and was started again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := run(t, proof.Check{
				Port: test.port, Path: "/", Matcher: "200", Patience: time.Minute, Watch: time.Minute,
			}, machine{"127.0.0.1", test.restarts})
			var d *diag.Diagnostic
			if !errors.As(err, &d) || !strings.HasSuffix(d.Summary, test.summary) {
				t.Errorf("%v", err)
			}
		})
	}
}

// Node.js closes an idle connection after five seconds and says so. A load balancer that
// sends a request at that moment answers 502.
func TestIdleConnectionsAreMeasured(t *testing.T) {
	const warning = "the application closes idle connections after "
	for name, test := range map[string]struct {
		announced string // Keep-Alive header
		idle      time.Duration
		closes    bool // after each response
		want      string
	}{
		"announced":           {announced: "timeout=5", want: warning + "5 s"},
		"announced, and long": {announced: "timeout=65"},
		"observed":            {idle: time.Second, want: warning + "1 s"},
		"kept":                {idle: time.Hour},
		"closed at once":      {closes: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if test.announced != "" {
					w.Header().Set("Keep-Alive", test.announced)
				}
			}, func(s *http.Server) {
				s.IdleTimeout = test.idle
				s.SetKeepAlivesEnabled(!test.closes)
			})
			said, noted, err := run(t, proof.Check{
				Port: port, Path: "/", Matcher: "200", Patience: time.Minute, Watch: 3 * time.Second,
			}, machine{"127.0.0.1", never})
			if err != nil || !strings.Contains(said, "went on doing so for 3s") {
				t.Errorf("%v, said %q", err, said)
			}
			if test.want == "" && noted != "" || !strings.HasPrefix(noted, test.want) {
				t.Errorf("noted %q, want %q", noted, test.want)
			}
		})
	}
}
