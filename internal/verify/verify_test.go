package verify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"go.uber.org/goleak"

	"aloft.dev/aloft/internal/spec"
)

func TestMain(m *testing.M) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		_ = os.Unsetenv(name) // of the host, which would be asked for the names of tests
	}
	goleak.VerifyTestMain(m)
}

// world surrounds a verifier: a load balancer on loopback, targets, and ports of servers
// at documentation addresses (RFC 5737).
type world struct {
	facts   Facts
	answer  func(n int64, w http.ResponseWriter)
	targets map[string]types.TargetHealthStateEnum
	ports   map[string]error // by host:port; other ports are silent
}

var errSilent = errors.New("silent")

func newWorld() *world {
	w := &world{targets: map[string]types.TargetHealthStateEnum{}, ports: map[string]error{}}
	for i := range 3 {
		s := Server{
			Name: fmt.Sprintf(
				"server-%d",
				i+1,
			), InstanceID: fmt.Sprintf("i-%017d", i+1), Zone: "us-east-1" + string(rune('a'+i)),
			PrivateIP: netip.AddrFrom4([4]byte{10, 0, byte(i + 1), 11}),
			PublicIP:  netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)}),
		}
		w.facts.Servers = append(w.facts.Servers, s)
		w.targets[s.InstanceID] = types.TargetHealthStateEnumHealthy
		w.ports[s.PublicIP.String()+":3000"] = nil
	}
	w.facts.Spec = &spec.Spec{App: "shop", Port: 3000}
	w.facts.Spec.Security.App.From = []netip.Prefix{spec.Anywhere}
	w.facts.Spec.Security.SSH.From = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
	w.facts.From = netip.MustParseAddr("198.51.100.7")
	w.answer = func(n int64, out http.ResponseWriter) { _, _ = fmt.Fprintf(out, `{"host":"ip-10-0-%d-11"}`, n%3+1) }
	return w
}

// DescribeTargetHealth returns the world's targets.
func (w *world) DescribeTargetHealth(
	context.Context, *elb.DescribeTargetHealthInput, ...func(*elb.Options),
) (*elb.DescribeTargetHealthOutput, error) {
	out := &elb.DescribeTargetHealthOutput{}
	for id, state := range w.targets {
		out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, types.TargetHealthDescription{
			Target: &types.TargetDescription{Id: &id}, TargetHealth: &types.TargetHealth{State: state}})
	}
	return out, nil
}

func (w *world) verify(t *testing.T) (Report, time.Duration) {
	t.Helper()
	var n atomic.Int64
	balancer := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Host, "shop.elb.localhost:") {
			t.Errorf("asked for %s", r.Host)
		}
		w.answer(n.Add(1), out)
	}))
	defer balancer.Close()
	u, _ := url.Parse(balancer.URL)
	w.facts.DNSName = "shop.elb.localhost"
	w.facts.Spec.LoadBalancer.Port, _ = strconv.Atoi(u.Port())
	v := Verifier{Health: w, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		if strings.HasPrefix(address, "127.0.0.1:") {
			return new(net.Dialer).DialContext(ctx, network, address)
		}
		if !strings.HasPrefix(address, "192.0.2.") && !strings.HasPrefix(address, nowhere.String()+":") {
			t.Errorf("dialled %s", address)
		}
		if err, ok := w.ports[address]; ok && err == nil {
			here, there := net.Pipe()
			there.Close()
			return here, nil
		} else if ok && !errors.Is(err, errSilent) {
			return nil, &net.OpError{Op: "dial", Err: err}
		}
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Err: ctx.Err()}
	}}
	began := time.Now()
	report := v.Run(t.Context(), w.facts)
	return report, time.Since(began)
}

func TestAllChecksPassWithinTwoSeconds(t *testing.T) {
	report, took := newWorld().verify(t)
	if !report.OK() || len(report.Checks) != 5 {
		t.Errorf("%+v", report)
	}
	if took > 2*time.Second {
		t.Errorf("took %s", took)
	}
	for i, detail := range []string{
		"of 60 requests 60 × 200", "server-1 20, server-2 20, server-3 20 of 60",
		"us-east-1a 1, us-east-1b 1, us-east-1c 1",
		"answers: server-1 3000, server-2 3000, server-3 3000", "silent: server-1 22 80 443 8080 9229, server-2",
	} {
		if !strings.Contains(report.Checks[i].Detail, detail) {
			t.Errorf("check %d: %s", i, report.Checks[i].Detail)
		}
	}
}

// The local cloud cannot serve at a port at which another program listens, which would
// answer instead.
func TestNothingIsSentToALoadBalancerWithAProblem(t *testing.T) {
	w := newWorld()
	w.facts.Problem = "port 8080 cannot be reached on this host: nc (pid 7, user 1000) listens there"
	w.answer = func(int64, http.ResponseWriter) { t.Error("a request was sent") }
	report, _ := w.verify(t)
	if failed := report.Failed(); len(failed) == 0 || !strings.Contains(failed[0].Detail, w.facts.Problem) {
		t.Errorf("%+v", report)
	}
}

func TestUnevenSpreadIsRetriedWithMoreRequests(t *testing.T) {
	w := newWorld()
	w.answer = func(n int64, out http.ResponseWriter) {
		server := n%3 + 1
		if n <= 60 && n%5 == 0 { // the first 60 requests spread 24 : 18 : 18 or worse
			server = 1
		}
		_, _ = fmt.Fprintf(out, `{"host":"ip-10-0-%d-11"}`, server)
	}
	report, _ := w.verify(t)
	if !report.OK() || !strings.Contains(report.Checks[1].Detail, " of 120,") {
		t.Errorf("%+v", report.Checks[1])
	}
}

func TestProblemsAreFound(t *testing.T) {
	for name, test := range map[string]struct {
		breaks func(*world)
		check  string
		detail string
	}{
		"a server error": {func(w *world) {
			w.answer = func(n int64, out http.ResponseWriter) {
				if n == 7 {
					out.WriteHeader(502)
				}
				_, _ = fmt.Fprintf(out, "from 10.0.%d.11.", n%3+1)
			}
		}, "the name answers", "59 × 200, 1 × 502"},
		"a cut connection": {func(w *world) {
			w.answer = func(n int64, out http.ResponseWriter) {
				if n == 1 {
					panic(http.ErrAbortHandler)
				}
			}
		}, "the name answers", "59 × 200, 1 × EOF"},
		"a server that gets nothing": {func(w *world) {
			w.answer = func(n int64, out http.ResponseWriter) {
				out.Header().Set("X-Served-By", fmt.Sprintf("ip-10-0-%d-11.ec2.internal", n%2+1))
			}
		}, "requests spread over the servers", "server-1 30, server-2 30, server-3 0 of 60"},
		"an unhealthy target": {func(w *world) {
			w.targets[w.facts.Servers[1].InstanceID] = types.TargetHealthStateEnumUnhealthy
		},
			"every target is healthy, in every zone", "server-2 is unhealthy; nothing serves in us-east-1b"},
		"a missing target": {func(w *world) { delete(w.targets, w.facts.Servers[2].InstanceID) },
			"every target is healthy, in every zone", "server-3 is not a target"},
		"a stranger among the targets": {func(w *world) {
			w.targets["i-stranger"] = types.TargetHealthStateEnumHealthy
		},
			"every target is healthy, in every zone", "i-stranger is a target, and no server of shop"},
		"a closed port that refuses": {func(w *world) { w.ports["192.0.2.2:22"] = syscall.ECONNREFUSED },
			"what is closed stays silent", "server-2:22 refuses, so packets reach the machine"},
		"a closed port that is open": {func(w *world) { w.ports["192.0.2.3:9229"] = nil },
			"what is closed stays silent", "server-3:9229 is open"},
		"a closed port that fails": {func(w *world) { w.ports["192.0.2.3:80"] = syscall.EMFILE },
			"what is closed stays silent", "server-3:80 cannot be judged: too many open files"},
		"an open port that refuses": {func(w *world) { w.ports["192.0.2.1:3000"] = syscall.ECONNREFUSED },
			"what is open answers", "server-1:3000 does not answer: connection refused"},
		"the application open, to the load balancer alone": {func(w *world) { w.facts.Spec.Security.App.From = nil },
			"what is closed stays silent", "server-1:3000 is open; server-2:3000 is open; server-3:3000 is open"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			test.breaks(w)
			report, _ := w.verify(t)
			failed := report.Failed()
			if len(failed) == 0 {
				t.Fatalf("not found: %+v", report)
			}
			for _, c := range failed {
				if c.Name == test.check && strings.Contains(c.Detail, strings.TrimSpace(test.detail)) {
					return
				}
			}
			t.Errorf("%+v", failed)
		})
	}
}

func TestAnonymousResponsesAreJudgedByHealth(t *testing.T) {
	w := newWorld()
	w.answer = func(_ int64, out http.ResponseWriter) { out.WriteHeader(http.StatusNotFound) }
	report, _ := w.verify(t)
	if !report.OK() || !strings.HasPrefix(report.Checks[1].Detail, "not measured") {
		t.Errorf("%+v", report)
	}
}

func TestUnknownPortsAreNotJudged(t *testing.T) {
	ssh := []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
	for name, test := range map[string]struct {
		from             string
		ssh, app         []netip.Prefix
		open, closed     string
		unjudged         string
		withoutAddresses bool
	}{
		"nothing is open": {
			"198.51.100.7", nil, nil, "", "server-1 3000 22 80 443 8080 9229", "", false,
		},
		"we may use SSH": {
			"203.0.113.9", ssh, nil, "server-1 22", "server-1 3000 80 443 8080 9229", "", false,
		},
		"we may not": {
			"198.51.100.7", ssh, nil, "", "server-1 3000 22 80 443 8080 9229", "", false,
		},
		"our address is not known": {"", ssh, ssh, "", "server-1 80 443 8080 9229", "3000 22", false},
		"nor needs to be": {
			"", nil, []netip.Prefix{spec.Anywhere}, "server-1 3000", "server-1 22 80 443 8080 9229", "", false,
		},
		"a server without public access": {"198.51.100.7", ssh, nil, "", "", "", true},
	} {
		f := Facts{
			Spec:    &spec.Spec{Port: 3000},
			Servers: []Server{{Name: "server-1", PublicIP: netip.MustParseAddr("192.0.2.1")}},
		}
		f.Spec.Security.SSH.From, f.Spec.Security.App.From = test.ssh, test.app
		if test.from != "" {
			f.From = netip.MustParseAddr(test.from)
		}
		if test.withoutAddresses {
			f.Servers[0].PublicIP = netip.Addr{}
		}
		open, closed, unjudged := f.ports()
		if listPorts(open) != test.open || listPorts(closed) != test.closed ||
			strings.Join(unjudged, " ") != test.unjudged {
			t.Errorf("%s: open %q, closed %q, unjudged %q", name, listPorts(open), listPorts(closed), unjudged)
		}
	}
}

func TestLocalhostNamesResolveToLoopback(t *testing.T) {
	for host, want := range map[string]string{
		"localhost": "127.0.0.1:80", "a.b.LocalHost.": "127.0.0.1:80",
		"localhost.example.com": "localhost.example.com:80", "notlocalhost": "notlocalhost:80",
	} {
		got := ""
		v := Verifier{
			Dial: func(_ context.Context, _, address string) (net.Conn, error) { got = address; return nil, errSilent },
		}
		if _, err := v.dialByName(t.Context(), "tcp", host+":80"); !errors.Is(err, errSilent) || got != want {
			t.Errorf("%s: %s", host, got)
		}
	}
}

func TestServerNamedIn(t *testing.T) {
	names := serverPatterns([]Server{
		{Name: "one", PrivateIP: netip.MustParseAddr("10.0.1.1")},
		{Name: "ten", PrivateIP: netip.MustParseAddr("10.0.1.10"), InstanceID: "i-0a"},
	})
	for answer, want := range map[string]string{
		"ip-10-0-1-1": "one", "ip-10-0-1-10": "ten", `{"host":"ip-10-0-1-10.ec2.internal"}`: "ten",
		"10.0.1.1:3000": "one", "i-0a\n": "ten",
		"i-0ab": "", "110.0.1.1": "", "ip-10-0-1-1 and ip-10-0-1-10": "", "": "",
	} {
		if got := serverNamedIn(answer, names); got != want {
			t.Errorf("%q is taken for %q", answer, got)
		}
	}
}
