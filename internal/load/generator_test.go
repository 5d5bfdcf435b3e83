package load

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// run sends requests for a duration.
func run(t *testing.T, c Config, lasts time.Duration) Recording {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	return New(c).Run(ctx)
}

func count(r Recording) map[Kind]int {
	out := map[Kind]int{}
	for _, s := range r.Samples {
		out[s.Kind]++
	}
	return out
}

func TestRateDoesNotDependOnResponses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, shut := open(func(http.ResponseWriter, *http.Request) { time.Sleep(200 * time.Millisecond) })
		r := run(t, Config{URL: "http://site/", Rate: 200, Dial: s.dial}, time.Second)
		shut()
		if n := len(r.Samples); n < 200 || n > 201 || count(r)[OK] != n { // one may be due when the second ends
			t.Errorf("%d requests in a second at 200 a second: %v", n, count(r))
		}
		for i, s := range r.Samples {
			if s.At != time.Duration(i)*5*time.Millisecond {
				t.Fatalf("request %d was due at %v", i, s.At)
			}
		}
	})
}

func TestStallShowsInTheLatencyOfAllDueRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The server handles one connection at a time; during a stall the others wait.
		turn := make(chan struct{}, 1)
		var n atomic.Int64
		s, shut := open(func(http.ResponseWriter, *http.Request) {
			turn <- struct{}{}
			if n.Add(1) == 20 {
				time.Sleep(500 * time.Millisecond)
			}
			<-turn
		})
		r := run(t, Config{URL: "http://site/", Rate: 100, Dial: s.dial}, time.Second)
		shut()
		late := 0
		for _, s := range r.Samples {
			if s.Latency > 100*time.Millisecond {
				late++
			}
		}
		if late != 40 { // those due in the first 400 ms of the stall; a closed loop would see 1
			t.Errorf("%d of %d requests were late, want 40", late, len(r.Samples))
		}
	})
}

func TestEveryRequestIsAccountedFor(t *testing.T) {
	codes := []int{200, 302, 404, 500, 502, 503, 504}
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(codes[int(n.Add(1)-1)%len(codes)])
	}))
	defer s.Close()
	r := run(t, Config{URL: s.URL, Rate: 700}, 200*time.Millisecond)
	got := count(r)
	each := len(r.Samples) / len(codes)
	for _, kind := range []Kind{ClientError, ServerError, BadGateway, Unavailable, GatewayTimeout} {
		if got[kind] < each-1 || got[kind] > each+1 {
			t.Errorf("%v", got)
		}
	}
	if got[OK] < 2*each-1 || n.Load() != int64(len(r.Samples)) {
		t.Errorf("%v, the server saw %d", got, n.Load())
	}
}

// breaking starts a server whose connections fail.
func breaking(t *testing.T, do func(in *bufio.Reader, out net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				do(bufio.NewReader(conn), conn)
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

func TestLostConnectionsAreNotRetried(t *testing.T) {
	// Each connection serves a random number of requests and then closes, with or
	// without a reset, while idle or in response to one more request.
	var asked, torn atomic.Int64
	url := breaking(t, func(in *bufio.Reader, out net.Conn) {
		for range rand.IntN(4) {
			if _, err := http.ReadRequest(in); err != nil {
				return
			}
			asked.Add(1)
			_, _ = fmt.Fprint(out, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
		if rand.IntN(2) == 0 {
			if _, err := http.ReadRequest(in); err != nil {
				return
			}
			asked.Add(1)
			torn.Add(1)
		}
		if rand.IntN(2) == 0 {
			_ = out.(*net.TCPConn).SetLinger(0)
		}
	})
	r := run(t, Config{URL: url, Rate: 1000}, time.Second)
	got := count(r)
	if torn.Load() < 100 || int64(got[Reset]) < torn.Load() {
		t.Errorf("%v, the server broke off %d", got, torn.Load())
	}
	if got[OK]+got[Reset] != len(r.Samples) || asked.Load() > int64(len(r.Samples)) {
		t.Errorf("%v; %d requests were counted, the server saw %d", got, len(r.Samples), asked.Load())
	}
	if int64(got[OK]) != asked.Load()-torn.Load() {
		t.Errorf("%v, the server answered %d", got, asked.Load()-torn.Load())
	}
}

func TestFailureKinds(t *testing.T) {
	silent := breaking(t, func(in *bufio.Reader, _ net.Conn) { _, _ = in.ReadString(0) })
	torn := breaking(t, func(in *bufio.Reader, out net.Conn) {
		_, _ = http.ReadRequest(in)
		_, _ = fmt.Fprint(out, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
	})
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := "http://" + gone.Addr().String()
	_ = gone.Close()
	for _, c := range []struct {
		url     string
		timeout time.Duration
		dial    func(context.Context, string, string) (net.Conn, error)
		want    Kind
	}{
		{silent, 100 * time.Millisecond, nil, Timeout},
		{torn, time.Minute, nil, Reset},
		{refusing, time.Minute, nil, Refused},
		{"http://nowhere.invalid/", time.Minute, func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.DNSError{Err: "no such host", Name: "nowhere.invalid"}
		}, DNS},
	} {
		r := run(t, Config{URL: c.url, Rate: 100, Timeout: c.timeout, Dial: c.dial}, 50*time.Millisecond)
		if got := count(r); len(r.Samples) == 0 || got[c.want] != len(r.Samples) {
			t.Errorf("%s: %v, want %s", c.url, got, c.want)
		}
	}
}

func TestSetRateAndTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, shut := open(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "server-1") })
		g := New(Config{
			URL:    "http://site/",
			Rate:   10,
			Dial:   s.dial,
			Target: func(_ *http.Response, body []byte) string { return string(body) },
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan Recording)
		go func() { done <- g.Run(ctx) }()
		time.Sleep(150 * time.Millisecond)
		slow := len(g.Snapshot().Samples)
		g.SetRate(1000)
		time.Sleep(100 * time.Millisecond)
		cancel()
		r := <-done
		shut()
		if fast := len(r.Samples) - slow; slow != 2 || fast < 99 || fast > 101 {
			t.Errorf("%d requests in 150 ms at 10 a second, %d in 100 ms at 1,000", slow, fast)
		}
		if last := r.Samples[len(r.Samples)-1]; last.Target != "server-1" || last.Status != http.StatusOK {
			t.Errorf("%+v", last)
		}
	})
}
