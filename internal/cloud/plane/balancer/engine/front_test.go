package engine

import (
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestTheFrontLeadsTLSByName(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	key := curveKey(t)
	balancerOf := func(n int, name string, certificates ...balancer.Certificate) balancer.LoadBalancer {
		lb := overTLS(balancertest.OneGroup(port, n), modern, certificates...).LoadBalancers[0]
		lb.ARN, lb.DNSName, lb.Nodes = name, name, lb.Nodes[n-1:]
		lb.Listeners[0].Action = balancer.Action{FixedResponse: &balancer.FixedResponse{Code: 200, ContentType: "text/plain", Body: name}}
		return lb
	}
	plain := balancertest.OneGroup(port, 3).LoadBalancers[0]
	plain.ARN, plain.DNSName, plain.Nodes = "plain", "plain.localhost", plain.Nodes[2:]
	plain.Listeners[0].Action = balancer.Action{
		FixedResponse: &balancer.FixedResponse{Code: 200, ContentType: "text/plain", Body: "plain"},
	}
	e.Set(balancer.Config{LoadBalancers: []balancer.LoadBalancer{
		balancerOf(1, "a.elb.localhost", issue(t, key, tomorrow, "*.example.com")),
		balancerOf(
			2,
			"b.elb.localhost",
			issue(t, key, tomorrow, "default.example"),
			issue(t, key, tomorrow, "www.example.com", "b.elb.localhost"),
		),
		plain,
	}})
	for _, c := range []struct{ name, want string }{
		{"a.elb.localhost", "a.elb.localhost"}, {"B.elb.localhost", "b.elb.localhost"},
		{"other.example.com", "a.elb.localhost"}, {"www.example.com", "b.elb.localhost"}, {"default.example", "b.elb.localhost"},
		{"unknown.example", ""}, {"", ""}, // which of the two, nobody knows
	} {
		client := client(t, "127.0.0.1", true, func(config *tls.Config) { config.ServerName = c.name })
		if c.name == "" {
			conn, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port), &tls.Config{InsecureSkipVerify: true})
			if err == nil {
				_ = conn.Close()
				t.Error("led somewhere without a name")
			}
			continue
		}
		req, _ := http.NewRequestWithContext(
			t.Context(),
			http.MethodGet,
			fmt.Sprintf("https://%s:%d/", c.name, port),
			nil,
		)
		answer, err := client.Do(req)
		if c.want == "" {
			if err == nil || !strings.Contains(err.Error(), "unrecognized name") {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		body := make([]byte, 64)
		n, _ := answer.Body.Read(body)
		_ = answer.Body.Close()
		if string(body[:n]) != c.want || answer.ProtoMajor != 2 {
			t.Errorf("%s: led to %q", c.name, body[:n])
		}
	}
	if _, body := balancertest.Get(t, "127.0.0.1", port); !strings.Contains(
		body,
		fmt.Sprintf("https://a.elb.localhost:%d/", port),
	) ||
		!strings.Contains(body, "http://plain.localhost") {
		t.Errorf("%s", body)
	}
}
