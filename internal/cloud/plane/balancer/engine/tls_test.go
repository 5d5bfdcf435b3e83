//go:build linux

package engine

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

// echoTarget starts a target that responds with what it was asked.
func echoTarget(t *testing.T) balancer.Target {
	return balancertest.Backend(t, "echo", func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = nil
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintln(w, r.Proto, r.Method, r.RequestURI, r.Host, string(body))
		for _, name := range []string{
			"X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-For",
			"X-Amzn-Tls-Version", "X-Amzn-Tls-Cipher-Suite", "X-Cipher", "Cookie",
		} {
			fmt.Fprintf(w, "%s: %s\n", name, strings.Join(r.Header[name], "|"))
		}
	})
}

func TestHTTPSListenersServeBothVersionsOfHTTPAlike(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	certificate := issue(t, curveKey(t), tomorrow, balancertest.DNSName)
	conf := withTLS(balancertest.OneGroup(port, 1, echoTarget(t)), modern, certificate)
	lb := &conf.LoadBalancers[0]
	lb.TLSHeaders, lb.Listeners[0].TLSCipherHeader = true, "X-Cipher"
	lb.Listeners[0].Rules = []balancer.Rule{
		balancertest.OnPath(1, "/fixed", balancertest.Fixed(404, "nothing")),
		balancertest.OnPath(2, "/away", balancer.Action{Redirect: &balancer.Redirect{
			Protocol: "#{protocol}", Host: "#{host}", Port: "#{port}", Path: "/there", Query: "#{query}", Code: 302,
		}}),
	}
	e.Set(conf)
	waitHealthy(t, e)
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("HTTP/2 %t", http2), func(t *testing.T) {
			c := newClient(t, "127.0.1.1", http2, nil)
			checkEcho(t, c, port, http2)
			checkOwnResponses(t, c, port)
		})
	}
}

// checkEcho checks what an echoTarget gets over HTTPS.
func checkEcho(t *testing.T, c *http.Client, port uint16, http2 bool) {
	t.Helper()
	resp, body := do(t, c, http.MethodPost, url(port, "/a%20b//c?x=1;y=%2F"), strings.NewReader("hello"),
		"X-Amzn-Tls-Version", "forged", "X-Cipher", "forged", "X-Forwarded-For", "10.9.9.9", "Cookie", "a=1; b=2")
	if want := map[bool]int{false: 1, true: 2}[http2]; resp.ProtoMajor != want || resp.StatusCode != 200 {
		t.Fatalf("HTTP/%d, %d", resp.ProtoMajor, resp.StatusCode)
	}
	for _, want := range []string{
		fmt.Sprintf("HTTP/1.1 POST /a%%20b//c?x=1;y=%%2F %s:%d hello\n", balancertest.DNSName, port),
		"X-Forwarded-Proto: https\n", fmt.Sprintf("X-Forwarded-Port: %d\n", port),
		"X-Forwarded-For: 10.9.9.9, 127.0.0.1\n", "X-Amzn-Tls-Version: TLSv1.3\n", "X-Cipher: TLS_",
		"X-Amzn-Tls-Cipher-Suite: \n", "Cookie: a=1; b=2",
	} {
		if !strings.Contains(body, want) || strings.Contains(body, "forged") {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
	if _, typed := resp.Header["Content-Type"]; typed && http2 {
		t.Errorf("the load balancer guessed a type: %v", resp.Header)
	}
}

// checkOwnResponses checks the fixed response and the redirect over HTTPS.
func checkOwnResponses(t *testing.T, c *http.Client, port uint16) {
	t.Helper()
	resp, body := get(t, c, url(port, "/fixed"))
	if resp.StatusCode != 404 || body != "nothing" || resp.Header.Get("Server") != "awselb/2.0" {
		t.Errorf("GET: %d %q %v", resp.StatusCode, body, resp.Header)
	}
	resp, body = do(t, c, http.MethodHead, url(port, "/fixed"), nil)
	if resp.StatusCode != 404 || body != "" || resp.ContentLength != 7 {
		t.Errorf("HEAD: %d %q %d", resp.StatusCode, body, resp.ContentLength)
	}
	resp, _ = get(t, c, url(port, "/away?q=1"))
	if resp.Header.Get("Location") != url(port, "/there?q=1") {
		t.Errorf("redirected to %q", resp.Header.Get("Location"))
	}
}

func TestPlainRequestToAnHTTPSPortIsRefused(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	certificate := issue(t, curveKey(t), tomorrow, balancertest.DNSName)
	e.Set(withTLS(balancertest.OneGroup(port, 1), modern, certificate))
	resp, body := balancertest.Get(t, "127.0.1.1", port)
	if resp.StatusCode != 400 || resp.Header.Get("Server") != "awselb/2.0" ||
		!strings.Contains(body, "The plain HTTP request was sent to HTTPS port") {
		t.Errorf("%d %v %q", resp.StatusCode, resp.Header, body)
	}
}

func TestListenerChangesBetweenHTTPAndHTTPS(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	plain := func() balancer.Config {
		c := balancertest.OneGroup(port, 1)
		c.LoadBalancers[0].Listeners[0].Action = balancertest.Fixed(200, "ok")
		return c
	}
	certificate := issue(t, curveKey(t), tomorrow, balancertest.DNSName)
	for range 2 {
		e.Set(plain())
		if resp, _ := balancertest.Get(t, "127.0.1.1", port); resp.StatusCode != 200 {
			t.Errorf("HTTP: %d", resp.StatusCode)
		}
		e.Set(withTLS(plain(), modern, certificate))
		if resp, _ := get(t, newClient(t, "127.0.1.1", false, nil), url(port, "/")); resp.StatusCode != 200 {
			t.Errorf("HTTPS: %d", resp.StatusCode)
		}
	}
	for _, noHTTP2 := range []bool{false, true} {
		c := withTLS(plain(), modern, certificate)
		c.LoadBalancers[0].NoHTTP2 = noHTTP2
		e.Set(c)
		conn := dialTLS(t, port, &tls.Config{NextProtos: []string{"h2", "http/1.1"}})
		if got := conn.ConnectionState().NegotiatedProtocol; (got == "h2") == noHTTP2 {
			t.Errorf("no HTTP/2 is %t, the protocol is %s", noHTTP2, got)
		}
	}
}

// dialTLS connects to the first node until the end of the test.
func dialTLS(t *testing.T, port uint16, config *tls.Config) *tls.Conn {
	t.Helper()
	config.InsecureSkipVerify = true
	conn, err := tls.Dial("tcp", fmt.Sprintf("127.0.1.1:%d", port), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestSessionsAreResumedAcrossConfigurations(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	certificate := issue(t, curveKey(t), tomorrow, balancertest.DNSName)
	cache := tls.NewLRUClientSessionCache(4)
	for i := range 3 {
		e.Set(withTLS(balancertest.OneGroup(port, 1), modern, certificate))
		conn := dialTLS(t, port, &tls.Config{ServerName: balancertest.DNSName, ClientSessionCache: cache})
		if resumed := conn.ConnectionState().DidResume; resumed != (i > 0) {
			t.Errorf("connection %d resumed: %t", i, resumed)
		}
		fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil { // reads the ticket too
			t.Fatal(err)
		}
		_ = conn.Close()
	}
}

func TestCrossSiteStickinessCookiesAreSecureOverTLS(t *testing.T) {
	a, b := balancertest.Backend(t, "a", nil), balancertest.Backend(t, "b", nil)
	e, port := newEngine(t), balancertest.FreePort(t)
	certificate := issue(t, curveKey(t), tomorrow, balancertest.DNSName)
	conf := withTLS(balancertest.OneGroup(port, 1, a, b), modern, certificate)
	conf.TargetGroups[0].Sticky = &balancer.Stickiness{For: time.Hour}
	conf.LoadBalancers[0].CookieKey = "key"
	e.Set(conf)
	waitHealthy(t, e)
	c := newClient(t, "127.0.1.1", true, nil)
	resp, first := get(t, c, url(port, "/"))
	cookies := map[string]*http.Cookie{}
	for _, cookie := range resp.Cookies() {
		cookies[cookie.Name] = cookie
	}
	if !cookies["AWSALBCORS"].Secure || cookies["AWSALBCORS"].SameSite != http.SameSiteNoneMode ||
		cookies["AWSALB"].Secure {
		t.Errorf("%v", resp.Header["Set-Cookie"])
	}
	cookie := "AWSALB=" + cookies["AWSALB"].Value
	for range 6 {
		if _, body := do(t, c, http.MethodGet, url(port, "/"), nil, "Cookie", cookie); body != first {
			t.Errorf("target %s responded, not %s", body, first)
		}
	}
}

func TestSilentClientDoesNotHoldAHandshake(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	certificate := issue(t, curveKey(t), tomorrow, balancertest.DNSName)
	conf := withTLS(balancertest.OneGroup(port, 1), modern, certificate)
	conf.LoadBalancers[0].IdleTimeout = 300 * time.Millisecond
	e.Set(conf)
	conn, err := net.Dial("tcp", "127.0.1.1:"+strconv.Itoa(int(port)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := io.ReadAll(conn); err != nil {
		t.Errorf("the connection was not closed: %v", err)
	}
}
