//go:build linux

package engine

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

// badResponses are responses of a target with framing that two readers could understand
// differently, or with more bytes than they declare.
var badResponses = []string{
	"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + forged,
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n1\r\nx\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk" + forged,
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok" + forged,
	"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok" + forged,
	"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok" + forged,
	"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok" + forged,
	"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551618\r\n\r\nok" + forged,
	"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok" + forged,
	"HTTP/1.1 200 OK\r\nContent-Length:\r\n 2\r\n\r\nok" + forged,
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + forged,
	"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" + forged,
	"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok" + forged,
	"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + forged,
	"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nok" + forged,
	"HTTP/1.1 304 Not Modified\r\n\r\n" + forged,
	"HTTP/1.1 100 Continue\r\n\r\n" + forged + forged,
	"HTTP/1.1 103 Early Hints\r\nContent-Length: 2\r\n\r\nok" + forged,
	"HTTP/1.1 102 Processing\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + forged,
	strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 100) + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" + forged,
	"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n" + forged,
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + forged,
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + forged,
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2 \r\nok\r\n0\r\n\r\n" + forged,
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n" + forged,
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nok\r\n0\r\n\r\n" + forged,
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\nok\r\n0\r\n\r\n" + forged,
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + forged,
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + forged,
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n" + forged,
	"HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + forged,
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n" + forged,
	"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + forged,
	"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n" + forged,
	"HTTP/1.1 200 OK\r\n\r\n" + forged,
	"HTTP/1.1 200 OK\nContent-Length: 0\n\n" + forged,
	"HTTP/1.1 200 OK\r\nX: a\nContent-Length: 0\r\n\r\n" + forged,
	"HTTP/1.1 200 OK\r\nX: a\rContent-Length: 0\r\n\r\n" + forged,
	"HTTP/1.1 200 OK\r\nX: a\x00\r\nContent-Length: 0\r\n\r\n" + forged,
	"HTTP/1.1 200 a\rb\r\nContent-Length: 0\r\n\r\n" + forged,
	"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n" + forged, "HTTP/1.1 20 OK\r\n\r\n" + forged,
	"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n" + forged, "ICY 200 OK\r\n\r\n" + forged, "\r\n" + forged, "x", "",
}

// forged is a response that no client asked for.
const forged = "HTTP/1.1 200 OK\r\nX-Forged: 1\r\nContent-Length: 6\r\n\r\nforged"

var framing = regexp.MustCompile("Content-Length|chunked")

// A target that breaks the framing of one client's response does not reach another client's.
// The extra bytes come together with the response, so that the load balancer can see them.
func TestResponsesDoNotReachOtherClients(t *testing.T) {
	target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		for head := readHead(in); head != ""; head = readHead(in) {
			path := strings.Fields(head)[1]
			number, isBad := strings.CutPrefix(path, "/bad/")
			if !isBad {
				_, _ = fmt.Fprintf(out, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(path), path)
				continue
			}
			i, _ := strconv.Atoi(number)
			_, _ = io.WriteString(out, badResponses[i])
			if !framing.MatchString(badResponses[i]) {
				return // the response ends with the connection
			}
		}
	})
	port := serve(t, target, func(lb *balancer.LoadBalancer) { lb.IdleTimeout = 2 * time.Second })
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		for i, bad := range badResponses {
			_ = send(t, port, fmt.Sprintf("%s /bad/%d HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", method, i))
			for _, path := range []string{"/one", "/two"} {
				got := send(t, port, "GET "+path+" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
				if !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") || !strings.HasSuffix(got, "\r\n\r\n"+path) {
					t.Errorf("after %s and %q, %s got %q", method, bad, path, got)
				}
			}
		}
	}
}

// Some servers send the body of a response to HEAD, which can take a moment.
func TestBodyOfHEADIsNoResponseToAnotherClient(t *testing.T) {
	target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		late := ""
		for head := readHead(in); head != ""; head = readHead(in) {
			if strings.HasPrefix(head, "HEAD") {
				_, _ = fmt.Fprintf(out, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(forged))
				late = forged
				continue
			}
			_, _ = io.WriteString(out, late+"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nown")
		}
	})
	port := serve(t, target, nil)
	for _, method := range []string{http.MethodHead, http.MethodGet} {
		got := send(t, port, method+" /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		if method == http.MethodGet && !strings.HasSuffix(got, "\r\n\r\nown") {
			t.Errorf("another client got %q", got)
		}
	}
}

// The load balancer skips the body of a request that failed once, and not the request after
// it too.
func TestRequestAfterAFailedOneIsWhole(t *testing.T) {
	target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		for head := readHead(in); head != ""; head = readHead(in) {
			if strings.HasPrefix(head, "POST") {
				return
			}
			_, _ = fmt.Fprintf(out, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n%s", strings.Fields(head)[1][1:])
		}
	})
	port := serve(t, target, nil)
	const next = "GET /abc HTTP/1.1\r\nX: GET /xyz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
	body := strings.Repeat("b", strings.Index(next, "GET /xyz"))
	head := fmt.Sprintf("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", len(body))
	got := send(t, port, head+body+next)
	if !strings.HasPrefix(got, "HTTP/1.1 502 ") || !strings.HasSuffix(got, "\r\n\r\nabc") {
		t.Errorf("got %q", got)
	}
}

// logged returns the access log of requests to a target that reads their bodies.
func logged(t *testing.T, change func(*balancer.Config), do func(port uint16)) []string {
	t.Helper()
	e, port, dir := newEngine(t), balancertest.FreePort(t), t.TempDir()
	conf := balancertest.OneGroup(port, 1, balancertest.Backend(t, "b", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	conf.LoadBalancers[0].ARN, conf.LoadBalancers[0].LogDir = loadBalancerARN, dir
	if change != nil {
		change(&conf)
	}
	e.Set(conf)
	waitHealthy(t, e)
	do(port)
	e.Close()
	_, lines := balancertest.AccessLogs(t, dir)
	return lines
}

// The entry of a head that cannot be parsed says nothing of the request before it. The
// bytes of that request's method may be others by now.
func TestClientsCannotForgeEntriesOfTheAccessLog(t *testing.T) {
	method := strings.Repeat("M", 400)
	forgery := strings.Repeat("\nhttp 2030 forged\n", 20)
	lines := logged(t, nil, func(port uint16) {
		conn := dial(t, port)
		in := bufio.NewReader(conn)
		_, _ = io.WriteString(conn, method+" /200 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
		if resp, err := http.ReadResponse(in, nil); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(resp, err)
		}
		_, _ = io.WriteString(conn, forgery)
		if resp, err := http.ReadResponse(in, nil); err != nil || resp.StatusCode != http.StatusBadRequest {
			t.Fatal(resp, err)
		}
	})
	if len(lines) != 2 || !strings.Contains(lines[0], method) || !strings.Contains(lines[1], ` "- http://`) {
		t.Errorf("the log has\n%s", strings.Join(lines, "\n"))
	}
}

func TestServerNamesAreEscapedInTheAccessLog(t *testing.T) {
	certificate := issue(t, curveKey(t), tomorrow, balancertest.DNSName)
	secure := func(conf *balancer.Config) { *conf = withTLS(*conf, modern, certificate) }
	lines := logged(t, secure, func(port uint16) {
		config := &tls.Config{ServerName: "a\" \x1b[2J\nhttp forged", InsecureSkipVerify: true}
		conn := tls.Client(dial(t, port), config)
		_, _ = io.WriteString(conn, "GET /200 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		_, _ = io.ReadAll(conn)
	})
	if len(lines) != 1 || !strings.Contains(lines[0], ` "a\x22 \x1b[2J\x0ahttp forged" "`) {
		t.Errorf("the log has\n%s", strings.Join(lines, "\n"))
	}
}

func TestAccessLogCountsBodiesThatComeLater(t *testing.T) {
	var total int
	lines := logged(t, nil, func(port uint16) {
		conn := dial(t, port)
		const head = "POST /200 HTTP/1.1\r\nHost: h\r\nContent-Length: 400000\r\nConnection: close\r\n\r\n"
		total = len(head) + 400000
		_, _ = io.WriteString(conn, head+strings.Repeat("b", 400000))
		_, _ = io.ReadAll(conn)
	})
	if len(lines) != 1 || !slices.Contains(strings.Fields(lines[0]), fmt.Sprint(total)) {
		t.Errorf("the log has\n%s, not %d bytes", strings.Join(lines, "\n"), total)
	}
}
