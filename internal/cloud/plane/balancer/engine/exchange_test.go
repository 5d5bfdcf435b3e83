package engine

import (
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var (
	traceID = regexp.MustCompile(`1-[0-9a-f]{8}-[0-9a-f]{24}`)
	date    = regexp.MustCompile(`Date: [^\r]+`)
)

func TestHeadsArePassedOnAsAWSDoes(t *testing.T) {
	got := make(chan string, 1)
	target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		got <- readHead(in)
		_, _ = io.WriteString(out, "HTTP/1.1 200 Fine\r\nX-Case: Kept\r\nKeep-Alive: timeout=5\r\nConnection: keep-alive\r\ncontent-length: 2\r\n\r\nhi")
	})
	port := serve(t, target, nil)
	answer := send(t, port, "GET /p?q HTTP/1.1\r\nhost: Example.com\r\nACCEPT: a\r\nTE: trailers\r\nProxy-Connection: x\r\nCookie: b=c\r\nConnection: close, X-Gone\r\nX-Gone: 1\r\n\r\n")
	want := fmt.Sprintf("GET /p?q HTTP/1.1\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: %[1]d\r\n"+
		"Host: Example.com:%[1]d\r\nX-Amzn-Trace-Id: Root=ID\r\nACCEPT: a\r\nCookie: b=c\r\n\r\n", port)
	if seen := traceID.ReplaceAllString(<-got, "ID"); seen != want {
		t.Errorf("the target saw\n%s\nnot\n%s", seen, want)
	}
	if answer := date.ReplaceAllString(answer, "Date: now"); answer != "HTTP/1.1 200 Fine\r\nX-Case: Kept\r\nDate: now\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi" {
		t.Errorf("the client saw %q", answer)
	}
}

func TestHostIsPreservedOnlyWhenAsked(t *testing.T) {
	got := make(chan string, 1)
	target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		r, err := http.ReadRequest(in)
		if err == nil {
			got <- r.Host
		}
		_, _ = io.WriteString(out, "HTTP/1.1 204 No Content\r\n\r\n")
	})
	port := serve(t, target, func(lb *balancer.LoadBalancer) { lb.PreserveHost = true })
	send(t, port, "GET /p HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n")
	if host := <-got; host != "example.com" {
		t.Errorf("Host %q", host)
	}
}

func TestAnswersAreFramedForTheClient(t *testing.T) {
	const keep, gone = "Connection: keep-alive\r\n", "Connection: close\r\n"
	for _, c := range []struct{ name, ask, target, want string }{
		{"chunks pass", "GET /x HTTP/1.1", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;e=1\r\nhi\r\n0\r\nT: x\r\n\r\n",
			"Transfer-Encoding: chunked\r\n" + keep + "\r\n2;e=1\r\nhi\r\n0\r\nT: x\r\n\r\n"},
		{"chunks for HTTP/1.0", "GET /x HTTP/1.0", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n", gone + "\r\nhi!"},
		{"HEAD", "HEAD /x HTTP/1.1", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "Content-Length: 5\r\n" + keep + "\r\n"},
		{"not modified", "GET /x HTTP/1.1", "HTTP/1.1 304 Not Modified\r\nETag: a\r\n\r\n", "ETag: a\r\nDate: now\r\n" + keep + "\r\n"},
		{"no content", "GET /x HTTP/1.1", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", keep + "\r\n"},
		{"empty", "GET /x HTTP/1.1", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "Content-Length: 0\r\n" + keep + "\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := dial(t, serve(t, respondingTarget(t, c.target), nil))
			_, _ = io.WriteString(conn, c.ask+"\r\nHost: h\r\n\r\n")
			want := date.ReplaceAllString(c.want, "Date: now")
			var got string
			for buf := make([]byte, 4096); !strings.HasSuffix(got, want); {
				n, err := conn.Read(buf)
				got += date.ReplaceAllString(string(buf[:n]), "Date: now")
				if err != nil {
					break
				}
			}
			if !strings.HasSuffix(got, want) {
				t.Errorf("the client saw %q, want the end %q", got, want)
			}
		})
	}
}

func TestABodyUntilTheCloseBecomesChunks(t *testing.T) {
	target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		readHead(in)
		_, _ = io.WriteString(out, "HTTP/1.1 200 OK\r\nDate: x\r\n\r\nuntil the end")
	})
	answer := send(t, serve(t, target, nil), "GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	if answer != "HTTP/1.1 200 OK\r\nDate: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nd\r\nuntil the end\r\n0\r\n\r\n" {
		t.Errorf("%q", answer)
	}
}

func TestPipelinedRequestsAreAnsweredInTurn(t *testing.T) {
	var asked atomic.Int64
	target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		for {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			body, _ := io.ReadAll(r.Body)
			asked.Add(1)
			_, _ = fmt.Fprintf(out, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s%s", len(r.URL.Path)+len(body), r.URL.Path, body)
		}
	})
	answer := send(t, serve(t, target, nil), "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxy\r\nPOST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nz\r\n0\r\n\r\n"+
		"GET /c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	var bodies []string
	for in := bufio.NewReader(strings.NewReader(answer)); ; {
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			break
		}
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
	}
	if fmt.Sprint(bodies) != "[/axy /bz /c]" || asked.Load() != 3 {
		t.Errorf("%v", bodies)
	}
}

func TestBodiesOfAnySizeArriveWhole(t *testing.T) {
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if r.URL.Path == "/sized" {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(echo.Close)
	port := serve(t, balancertest.Target("echo", echo.Listener.Addr()), nil)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for _, path := range []string{"/sized", "/chunked"} {
		for _, size := range []int{0, 1, 100, 4 << 10, 8 << 10, 33 << 10, 200 << 10, 3<<20 + 7} {
			body := bytes.Repeat([]byte("0123456789abcde"), size/15+1)[:size]
			var sent io.Reader = bytes.NewReader(body)
			if path == "/chunked" {
				sent = io.MultiReader(sent) // net/http does not know its length
			}
			answer, err := client.Post(fmt.Sprintf("http://127.0.1.1:%d%s", port, path), "x/y", sent)
			if err != nil {
				t.Fatalf("%s %d: %v", path, size, err)
			}
			got, err := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			if err != nil || sha256.Sum256(got) != sha256.Sum256(body) {
				t.Fatalf("%s %d: %d bytes came back, %v", path, size, len(got), err)
			}
		}
	}
}

func TestAClientThatWaitsForContinueIsToldToGoOn(t *testing.T) {
	target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		readHead(in)
		_, _ = io.WriteString(out, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n")
		body := make([]byte, 4)
		_, _ = io.ReadFull(in, body)
		_, _ = fmt.Fprintf(out, "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 4\r\n\r\n%s", body)
	})
	conn := dial(t, serve(t, target, nil))
	_, _ = io.WriteString(conn, "POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n\r\n")
	in := bufio.NewReader(conn)
	if got := readHead(in) + readHead(in); got != "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" {
		t.Fatalf("%q", got)
	}
	_, _ = io.WriteString(conn, "body")
	rest, _ := io.ReadAll(in)
	if string(rest) != "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody" {
		t.Errorf("%q", rest)
	}
}

func TestAnAnswerMayComeBeforeTheBody(t *testing.T) {
	target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		readHead(in)
		_, _ = io.WriteString(out, "HTTP/1.1 413 Too Large\r\nDate: x\r\nContent-Length: 0\r\n\r\n")
		_, _ = io.Copy(io.Discard, in)
	})
	conn := dial(t, serve(t, target, nil))
	_, _ = io.WriteString(conn, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nbeginning")
	if got := readHead(bufio.NewReader(conn)); got != "HTTP/1.1 413 Too Large\r\nDate: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" {
		t.Errorf("%q", got)
	}
}

func TestATargetsConnectionIsUsedAgainWhileItIsOpen(t *testing.T) {
	var opened atomic.Int64
	patience := make(chan struct{})
	target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		opened.Add(1)
		for range 2 {
			readHead(in)
			_, _ = io.WriteString(out, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
		}
		_ = out.Close() // as servers do whose keep-alive time-out is over
		patience <- struct{}{}
	})
	conn := dial(t, serve(t, target, nil))
	for i := range 6 {
		_, _ = io.WriteString(conn, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("request %d: %v %v", i, answer, err)
		}
		if i%2 == 1 {
			<-patience
		}
	}
	if opened.Load() != 3 {
		t.Errorf("%d connections for 6 requests", opened.Load())
	}
}

func TestUpgradedConnectionsCarryBytesBothWays(t *testing.T) {
	target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		if h := readHead(in); !strings.Contains(h, "Connection: Upgrade\r\nUpgrade: websocket\r\n") {
			_, _ = io.WriteString(out, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
			return
		}
		_, _ = io.WriteString(out, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nhello ")
		_, _ = io.Copy(out, in)
	})
	conn := dial(t, serve(t, target, nil))
	_, _ = io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\nearly ")
	in := bufio.NewReader(conn)
	if got := readHead(in); got != "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\nConnection: Upgrade\r\n\r\n" {
		t.Fatalf("%q", got)
	}
	_, _ = io.WriteString(conn, "late")
	_ = conn.(*net.TCPConn).CloseWrite()
	if rest, _ := io.ReadAll(in); string(rest) != "hello early late" {
		t.Errorf("%q", rest)
	}
}

func TestBadRequestsGetAWSsCodes(t *testing.T) {
	target := respondingTarget(t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	ports := map[string]uint16{}
	for _, mode := range []string{"monitor", "defensive", "strictest"} {
		ports[mode] = serve(t, target, func(lb *balancer.LoadBalancer) { lb.Desync = mode })
	}
	const host = "\r\nHost: h\r\nConnection: close\r\n"
	for _, c := range []struct {
		name, text                    string
		monitor, defensive, strictest int
	}{
		{"compliant", "GET /x HTTP/1.1" + host + "\r\n", 200, 200, 200},
		{"acceptable", "GET /x HTTP/1.1" + host + "Content-Length: 0\r\n\r\n", 200, 200, 400},
		{"ambiguous", "POST /x HTTP/1.1" + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, 200, 400},
		{"severe but one can read it", "POST /x HTTP/1.1" + host + "Content-Length: 0\r\nTransfer_Encoding: chunked\r\n\r\n", 200, 400, 400},
		{"severe", "POST /x HTTP/1.1" + host + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400, 400, 400},
		{"nonsense", "nonsense\r\n\r\n", 400, 400, 400},
		{"lines that end in a line feed", "GET /x HTTP/1.1\nHost: h\n\n", 400, 400, 400},
		{"TLS", "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\n", 400, 400, 400},
		{"TRACE", "TRACE /x HTTP/1.1" + host + "\r\n", 405, 405, 405},
		{"long line", "GET /" + strings.Repeat("a", 17<<10) + " HTTP/1.1" + host + "\r\n", 414, 414, 414},
		{"long field", "GET /x HTTP/1.1" + host + "A: " + strings.Repeat("a", 17<<10) + "\r\n\r\n", 400, 400, 400},
		{"long head", "GET /x HTTP/1.1" + host + strings.Repeat("A: "+strings.Repeat("a", 15<<10)+"\r\n", 5) + "\r\n", 400, 400, 400},
		{"31 forwarders", "GET /x HTTP/1.1" + host + "X-Forwarded-For: 10.0.0.1" + strings.Repeat(", 10.0.0.1", 30) + "\r\n\r\n", 463, 463, 463},
		{"gzip", "POST /x HTTP/1.1" + host + "Transfer-Encoding: gzip\r\n\r\n", 501, 501, 501},
		{"HTTP/2 without TLS", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, 505, 505},
	} {
		for mode, want := range map[string]int{"monitor": c.monitor, "defensive": c.defensive, "strictest": c.strictest} {
			answer := send(t, ports[mode], c.text)
			if !strings.HasPrefix(answer, fmt.Sprintf("HTTP/1.1 %d ", want)) {
				t.Errorf("%s, %s: %.40q, want %d", c.name, mode, answer, want)
			}
			if want >= 400 && !strings.Contains(answer, "\r\nServer: awselb/2.0\r\nDate: ") {
				t.Errorf("%s, %s: not the load balancer's own: %q", c.name, mode, answer)
			}
		}
	}
}

func TestAnAmbiguousRequestIsTheLastOnItsConnection(t *testing.T) {
	port := serve(t, respondingTarget(t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), func(lb *balancer.LoadBalancer) { lb.Desync = "defensive" })
	answer := send(t, port, "GET /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\naGET /y HTTP/1.1\r\nHost: h\r\n\r\n")
	if strings.Count(answer, "HTTP/1.1 200") != 1 || !strings.Contains(answer, "Connection: close") {
		t.Errorf("%q", answer)
	}
}

func TestAnswersThatBreakTheRulesAreBadGateways(t *testing.T) {
	for _, c := range []struct{ name, answer string }{
		{"nonsense", "nonsense\r\n\r\n"},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"},
		{"length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		{"bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 1\n\na"},
		{"a head of 33 KB", "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: "+strings.Repeat("a", 1<<10)+"\r\n", 33) + "\r\n"},
		{"a switch that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"},
		{"bad chunks at once", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := send(t, serve(t, respondingTarget(t, c.answer), nil), "GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
			if !strings.HasPrefix(answer, "HTTP/1.1 502 Bad Gateway\r\nServer: awselb/2.0\r\n") {
				t.Errorf("%.80q", answer)
			}
		})
	}
}

func TestABodyThatBreaksOffIsNotTakenForWhole(t *testing.T) {
	for _, answer := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nhalf",
	} {
		target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
			readHead(in)
			_, _ = io.WriteString(out, answer)
		})
		got := send(t, serve(t, target, nil), "GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
		r, err := http.ReadResponse(bufio.NewReader(strings.NewReader(got)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(r.Body); !errors.Is(err, io.ErrUnexpectedEOF) || string(body) != "half" {
			t.Errorf("%q %v", body, err)
		}
	}
}

func TestTargetsMaySpeakTLS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "secret") }))
	t.Cleanup(s.Close)
	e, port := newEngine(t), balancertest.FreePort(t)
	conf := balancertest.OneGroup(port, 1, balancertest.Target("tls", s.Listener.Addr()))
	conf.TargetGroups[0].TLS, conf.TargetGroups[0].Check.TLS = true, true
	conf.TargetGroups[0].Check.Timeout = time.Second
	e.Set(conf)
	waitHealthy(t, e)
	for range 2 { // the second over the same connection
		if answer, body := balancertest.Get(t, "127.0.1.1", port); answer.StatusCode != http.StatusOK || body != "secret" {
			t.Errorf("%d %q", answer.StatusCode, body)
		}
	}
}

func TestARequestAllocatesNothing(t *testing.T) {
	// A client and a target that allocate nothing themselves; what is counted is
	// the whole process's.
	answer := []byte("HTTP/1.1 200 OK\r\nDate: Mon, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 5\r\n\r\nhello")
	target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		buf := make([]byte, 4096)
		for {
			if n, err := in.Read(buf); err != nil || !bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
				return
			}
			if _, err := out.Write(answer); err != nil {
				return
			}
		}
	})
	e, port := newEngine(t), balancertest.FreePort(t)
	conf := balancertest.OneGroup(port, 1, target)
	conf.LoadBalancers[0].Nodes[0].Public = netip.Addr{}
	conf.TargetGroups[0].Check.Interval = time.Hour // one check, which is over before it is counted
	e.Set(conf)
	waitHealthy(t, e)
	conn := dial(t, port)
	ask, buf := []byte("GET /x HTTP/1.1\r\nHost: h\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n"), make([]byte, 4096)
	once := func() {
		_, _ = conn.Write(ask)
		if n, err := conn.Read(buf); err != nil || !bytes.HasSuffix(buf[:n], []byte("hello")) {
			t.Fatalf("%q %v", buf[:n], err)
		}
	}
	for range 100 {
		once()
	}
	// What else goes on allocates too, the sweeper as an example, but not all the
	// time: what a request allocates shows in every one of the measurements.
	least := math.Inf(1)
	for range 10 {
		least = min(least, testing.AllocsPerRun(200, once))
	}
	if least >= 1 && !raceDetector {
		t.Errorf("%v allocations a request", least)
	}
}
