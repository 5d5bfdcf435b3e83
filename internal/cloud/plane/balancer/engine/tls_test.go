package engine

import (
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

const modern = "ELBSecurityPolicy-TLS13-1-2-2021-06"

var tomorrow = time.Now().Add(24 * time.Hour)

// echo is a target that tells what it was asked.
func echo(t *testing.T) balancer.Target {
	return balancertest.Backend(t, "echo", func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = nil
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintln(w, r.Proto, r.Method, r.RequestURI, r.Host, string(body))
		for _, name := range []string{"X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-For", "X-Amzn-Tls-Version", "X-Amzn-Tls-Cipher-Suite", "X-Cipher", "Cookie"} {
			fmt.Fprintf(w, "%s: %s\n", name, strings.Join(r.Header[name], "|"))
		}
	})
}

func TestHTTPSListenersServeBothVersionsOfHTTPAlike(t *testing.T) {
	b := echo(t)
	e, port := newEngine(t), balancertest.FreePort(t)
	conf := overTLS(balancertest.OneGroup(port, 1, b), modern, issue(t, curveKey(t), tomorrow, balancertest.DNSName))
	lb := &conf.LoadBalancers[0]
	lb.TLSHeaders, lb.Listeners[0].TLSCipherHeader = true, "X-Cipher"
	lb.Listeners[0].Rules = []balancer.Rule{
		{
			ARN:        "r1",
			Priority:   1,
			Conditions: []balancer.Condition{{Field: "path-pattern", Values: []string{"/fixed"}}},
			Action:     balancer.Action{FixedResponse: &balancer.FixedResponse{Code: 404, ContentType: "text/plain", Body: "nothing"}},
		},
		{
			ARN:        "r2",
			Priority:   2,
			Conditions: []balancer.Condition{{Field: "path-pattern", Values: []string{"/away"}}},
			Action: balancer.Action{
				Redirect: &balancer.Redirect{
					Protocol: "#{protocol}",
					Host:     "#{host}",
					Port:     "#{port}",
					Path:     "/there",
					Query:    "#{query}",
					Code:     302,
				},
			},
		},
	}
	e.Set(conf)
	waitHealthy(t, e)
	for _, h2 := range []bool{false, true} {
		c := client(t, "127.0.1.1", h2, nil)
		answer, body := fetch(t, c, http.MethodPost, url(port, "/a%20b//c?x=1;y=%2F"), strings.NewReader("hello"),
			"X-Amzn-Tls-Version", "forged", "X-Cipher", "forged", "X-Forwarded-For", "10.9.9.9", "Cookie", "a=1; b=2")
		if want := map[bool]int{false: 1, true: 2}[h2]; answer.ProtoMajor != want || answer.StatusCode != 200 {
			t.Fatalf("HTTP/%d, %d", answer.ProtoMajor, answer.StatusCode)
		}
		for _, want := range []string{
			fmt.Sprintf("HTTP/1.1 POST /a%%20b//c?x=1;y=%%2F %s:%d hello\n", balancertest.DNSName, port),
			"X-Forwarded-Proto: https\n", fmt.Sprintf("X-Forwarded-Port: %d\n", port), "X-Forwarded-For: 10.9.9.9, 127.0.0.1\n",
			"X-Amzn-Tls-Version: TLSv1.3\n", "X-Cipher: TLS_", "X-Amzn-Tls-Cipher-Suite: \n", "Cookie: a=1; b=2",
		} {
			if !strings.Contains(body, want) || strings.Contains(body, "forged") {
				t.Errorf("h2 %t: no %q in\n%s", h2, want, body)
			}
		}
		if _, typed := answer.Header["Content-Type"]; typed && h2 {
			t.Errorf("a type was guessed: %v", answer.Header)
		}
		if answer, body := fetch(t, c, http.MethodGet, url(port, "/fixed"), nil); answer.StatusCode != 404 ||
			body != "nothing" ||
			answer.Header.Get("Server") != "awselb/2.0" {
			t.Errorf("%d %q %v", answer.StatusCode, body, answer.Header)
		}
		if answer, _ := fetch(t, c, http.MethodGet, url(port, "/away?q=1"), nil); answer.Header.Get(
			"Location",
		) != url(
			port,
			"/there?q=1",
		) {
			t.Errorf("redirected to %q", answer.Header.Get("Location"))
		}
		if answer, body := fetch(t, c, http.MethodHead, url(port, "/fixed"), nil); answer.StatusCode != 404 ||
			body != "" ||
			answer.ContentLength != 7 {
			t.Errorf("HEAD: %d %q %d", answer.StatusCode, body, answer.ContentLength)
		}
	}
}

func TestAPlainRequestAtAnHTTPSPortIsTold(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	e.Set(overTLS(balancertest.OneGroup(port, 1), modern, issue(t, curveKey(t), tomorrow, balancertest.DNSName)))
	answer, body := balancertest.Get(t, "127.0.1.1", port)
	if answer.StatusCode != 400 || answer.Header.Get("Server") != "awselb/2.0" ||
		!strings.Contains(body, "The plain HTTP request was sent to HTTPS port") {
		t.Errorf("%d %v %q", answer.StatusCode, answer.Header, body)
	}
}

func TestPoliciesDecideWhoCanSpeak(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	certificate := issue(t, rsaKey(t), tomorrow, balancertest.DNSName)
	conf := func(policy string) balancer.Config {
		c := overTLS(balancertest.OneGroup(port, 1), policy, certificate)
		c.LoadBalancers[0].Listeners[0].Action = balancer.Action{FixedResponse: &balancer.FixedResponse{Code: 200}}
		return c
	}
	for _, c := range []struct {
		policy  string
		version uint16
		cipher  uint16
		refused bool
	}{
		{"ELBSecurityPolicy-2016-08", tls.VersionTLS10, 0, false},
		{"ELBSecurityPolicy-2016-08", tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_CBC_SHA, false},
		{"ELBSecurityPolicy-2016-08", tls.VersionTLS13, 0, true},
		{"ELBSecurityPolicy-TLS-1-1-2017-01", tls.VersionTLS10, 0, true},
		{"ELBSecurityPolicy-TLS-1-1-2017-01", tls.VersionTLS11, 0, false},
		{modern, tls.VersionTLS11, 0, true},
		{modern, tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, false},
		{modern, tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_GCM_SHA256, true},
		{modern, tls.VersionTLS13, 0, false},
		{"ELBSecurityPolicy-TLS13-1-2-Res-2021-06", tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, true},
		{"ELBSecurityPolicy-TLS13-1-2-Res-2021-06", tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, false},
		{"ELBSecurityPolicy-TLS13-1-3-2021-06", tls.VersionTLS12, 0, true},
		{"ELBSecurityPolicy-FS-1-2-2019-08", tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_GCM_SHA256, true},
		{"ELBSecurityPolicy-FS-1-2-2019-08", tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, false},
	} {
		e.Set(conf(c.policy))
		config := &tls.Config{InsecureSkipVerify: true, MinVersion: c.version, MaxVersion: c.version}
		if c.cipher != 0 {
			config.CipherSuites = []uint16{c.cipher}
		}
		conn, err := tls.Dial("tcp", fmt.Sprintf("127.0.1.1:%d", port), config)
		if (err != nil) != c.refused {
			t.Errorf("%s, %s, %s: %v", c.policy, tls.VersionName(c.version), tls.CipherSuiteName(c.cipher), err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
}

func TestPostQuantumKeysAreExchangedByPolicy(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	for policy, want := range map[string]tls.CurveID{modern: tls.X25519, "ELBSecurityPolicy-TLS13-1-2-PQ-2025-09": tls.X25519MLKEM768} {
		e.Set(overTLS(balancertest.OneGroup(port, 1), policy, issue(t, curveKey(t), tomorrow, balancertest.DNSName)))
		conn, err := tls.Dial("tcp", fmt.Sprintf("127.0.1.1:%d", port), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := conn.ConnectionState().CurveID; got != want {
			t.Errorf("%s: %v", policy, got)
		}
		_ = conn.Close()
	}
}

func TestTheNameChoosesTheCertificate(t *testing.T) {
	curve, rsa := curveKey(t), rsaKey(t)
	standard := issue(t, rsa, tomorrow, "default.example")
	list := []balancer.Certificate{
		issue(t, rsa, tomorrow, "rsa-exact", "www.example.com"),
		issue(t, curve, tomorrow, "curve-exact", "www.example.com"),
		issue(t, curve, tomorrow.Add(time.Hour), "wildcard", "*.example.com"),
		issue(t, curve, time.Now().Add(-time.Hour), "expired", "old.example.com"),
		issue(t, curve, tomorrow, "short", "api.example.net"),
		issue(t, curve, tomorrow.Add(time.Hour), "long", "api.example.net"),
		issue(t, curve, tomorrow, "again", "default.example"),
	}
	e, port := newEngine(t), balancertest.FreePort(t)
	e.Set(overTLS(balancertest.OneGroup(port, 1), modern, append([]balancer.Certificate{standard}, list...)...))
	for _, c := range []struct {
		name    string
		ciphers []uint16
		want    string
	}{
		{"", nil, "default.example"},
		{"unknown.example.org", nil, "default.example"},
		{"www.example.com", nil, "curve-exact"},
		{"WWW.example.com", nil, "curve-exact"},
		{"www.example.com", []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}, "rsa-exact"},
		{"other.example.com", nil, "wildcard"},
		{"a.other.example.com", nil, "default.example"},
		{"old.example.com", nil, "wildcard"},
		{"api.example.net", nil, "long"},
		{"default.example", nil, "again"},
	} {
		config := &tls.Config{InsecureSkipVerify: true, ServerName: c.name, CipherSuites: c.ciphers}
		if c.ciphers != nil {
			config.MaxVersion = tls.VersionTLS12
		}
		conn, err := tls.Dial("tcp", fmt.Sprintf("127.0.1.1:%d", port), config)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := conn.ConnectionState().PeerCertificates[0].Subject.CommonName; got != c.want {
			t.Errorf("%q: %s, want %s", c.name, got, c.want)
		}
		_ = conn.Close()
	}
}

func TestAListenerChangesBetweenHTTPAndHTTPS(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	plain := func() balancer.Config {
		c := balancertest.OneGroup(port, 1)
		c.LoadBalancers[0].Listeners[0].Action = balancer.Action{
			FixedResponse: &balancer.FixedResponse{Code: 200, ContentType: "text/plain", Body: "ok"},
		}
		return c
	}
	certificate := issue(t, curveKey(t), tomorrow, balancertest.DNSName)
	for range 2 {
		e.Set(plain())
		if answer, _ := balancertest.Get(t, "127.0.1.1", port); answer.StatusCode != 200 {
			t.Errorf("HTTP: %d", answer.StatusCode)
		}
		e.Set(overTLS(plain(), modern, certificate))
		if answer, _ := fetch(t, client(t, "127.0.1.1", false, nil), http.MethodGet, url(port, "/"), nil); answer.StatusCode != 200 {
			t.Errorf("HTTPS: %d", answer.StatusCode)
		}
	}
	for _, noHTTP2 := range []bool{false, true} {
		c := overTLS(plain(), modern, certificate)
		c.LoadBalancers[0].NoHTTP2 = noHTTP2
		e.Set(c)
		conn, err := tls.Dial(
			"tcp",
			fmt.Sprintf("127.0.1.1:%d", port),
			&tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}},
		)
		if err != nil {
			t.Fatal(err)
		}
		if got := conn.ConnectionState().NegotiatedProtocol; (got == "h2") == noHTTP2 {
			t.Errorf("no HTTP/2 is %t, agreed on %s", noHTTP2, got)
		}
		_ = conn.Close()
	}
}

func TestSessionsAreResumedAcrossConfigurations(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	certificate := issue(t, curveKey(t), tomorrow, balancertest.DNSName)
	cache := tls.NewLRUClientSessionCache(4)
	for i := range 3 {
		e.Set(overTLS(balancertest.OneGroup(port, 1), modern, certificate))
		conn, err := tls.Dial(
			"tcp",
			fmt.Sprintf("127.0.1.1:%d", port),
			&tls.Config{InsecureSkipVerify: true, ServerName: balancertest.DNSName, ClientSessionCache: cache},
		)
		if err != nil {
			t.Fatal(err)
		}
		if resumed := conn.ConnectionState().DidResume; resumed != (i > 0) {
			t.Errorf("connection %d resumed: %t", i, resumed)
		}
		fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil { // takes the ticket in
			t.Fatal(err)
		}
		_ = conn.Close()
	}
}

func TestStickinessCookiesForOtherSitesAreSecureOverTLS(t *testing.T) {
	a, b := balancertest.Backend(t, "a", nil), balancertest.Backend(t, "b", nil)
	e, port := newEngine(t), balancertest.FreePort(t)
	conf := overTLS(balancertest.OneGroup(port, 1, a, b), modern, issue(t, curveKey(t), tomorrow, balancertest.DNSName))
	conf.TargetGroups[0].Sticky = &balancer.Stickiness{For: time.Hour}
	conf.LoadBalancers[0].CookieKey = "key"
	e.Set(conf)
	waitHealthy(t, e)
	c := client(t, "127.0.1.1", true, nil)
	answer, first := fetch(t, c, http.MethodGet, url(port, "/"), nil)
	cookies := map[string]*http.Cookie{}
	for _, cookie := range answer.Cookies() {
		cookies[cookie.Name] = cookie
	}
	if !cookies["AWSALBCORS"].Secure || cookies["AWSALBCORS"].SameSite != http.SameSiteNoneMode ||
		cookies["AWSALB"].Secure {
		t.Errorf("%v", answer.Header["Set-Cookie"])
	}
	for range 6 {
		if _, body := fetch(t, c, http.MethodGet, url(port, "/"), nil, "Cookie", "AWSALB="+cookies["AWSALB"].Value); body != first {
			t.Errorf("answered by %s, not by %s", body, first)
		}
	}
}

func TestASilentClientDoesNotHoldAHandshake(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	conf := overTLS(balancertest.OneGroup(port, 1), modern, issue(t, curveKey(t), tomorrow, balancertest.DNSName))
	conf.LoadBalancers[0].IdleTimeout = 300 * time.Millisecond
	e.Set(conf)
	conn, err := net.Dial("tcp", "127.0.1.1:"+strconv.Itoa(int(port)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.ReadAll(conn); err != nil {
		t.Errorf("the connection was not closed: %v", err)
	}
}

func TestKeysAreNotShown(t *testing.T) {
	c := balancer.Config{
		LoadBalancers: []balancer.LoadBalancer{
			{Listeners: []balancer.Listener{{TLS: &balancer.TLS{Certificates: []balancer.Certificate{{Key: "PRIVATE"}}}}}},
		},
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).
		Info("set", "config", c, "key", c.LoadBalancers[0].Listeners[0].TLS.Certificates[0].Key)
	shown := fmt.Sprintf(
		"%v %+v %#v %s",
		c,
		c.LoadBalancers[0].Listeners[0].TLS,
		*c.LoadBalancers[0].Listeners[0].TLS,
		c.LoadBalancers[0].Listeners[0].TLS.Certificates,
	) + log.String()
	if strings.Contains(shown, "PRIVATE") {
		t.Errorf("%s", shown)
	}
	if text, _ := json.Marshal(c); !strings.Contains(string(text), "PRIVATE") {
		t.Error("the process would not get the key")
	}
}
