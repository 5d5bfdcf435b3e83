//go:build linux

package engine

import (
	"crypto/tls"
	"fmt"
	"io"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

func TestFrontForwardsTLSByName(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	key := curveKey(t)
	// named returns a load balancer that has the nth node and responds with its name.
	named := func(n int, name string, certificates ...balancer.Certificate) balancer.LoadBalancer {
		conf := balancertest.OneGroup(port, n)
		if len(certificates) > 0 {
			conf = withTLS(conf, modern, certificates...)
		}
		lb := conf.LoadBalancers[0]
		lb.ARN, lb.DNSName, lb.Nodes = name, name, lb.Nodes[n-1:]
		lb.Listeners[0].Action = balancertest.Fixed(200, name)
		return lb
	}
	e.Set(balancer.Config{LoadBalancers: []balancer.LoadBalancer{
		named(1, "a.elb.localhost", issue(t, key, tomorrow, "*.example.com")),
		named(2, "b.elb.localhost", issue(t, key, tomorrow, "default.example"),
			issue(t, key, tomorrow, "www.example.com", "b.elb.localhost")),
		named(3, "plain.localhost"),
	}})
	for _, c := range []struct{ name, want string }{
		{"a.elb.localhost", "a.elb.localhost"},
		{"B.elb.localhost", "b.elb.localhost"},
		{"other.example.com", "a.elb.localhost"},
		{"www.example.com", "b.elb.localhost"},
		{"default.example", "b.elb.localhost"},
	} {
		client := newClient(t, "127.0.0.1", true, func(config *tls.Config) { config.ServerName = c.name })
		resp, err := client.Get(fmt.Sprintf("https://%s:%d/", c.name, port))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if string(body) != c.want || resp.ProtoMajor != 2 {
			t.Errorf("%s: %q responded in HTTP/%d", c.name, body, resp.ProtoMajor)
		}
	}
	unknown := newClient(t, "127.0.0.1", true, func(config *tls.Config) { config.ServerName = "unknown.example" })
	_, err := unknown.Get(fmt.Sprintf("https://unknown.example:%d/", port))
	if err == nil || !strings.Contains(err.Error(), "unrecognized name") {
		t.Errorf("an unknown name: %v", err)
	}
	conn, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port), &tls.Config{InsecureSkipVerify: true})
	if err == nil { // it could be for either of two load balancers
		_ = conn.Close()
		t.Error("a client without a name was forwarded")
	}
	_, body := balancertest.Get(t, "127.0.0.1", port)
	if !strings.Contains(body, fmt.Sprintf("https://a.elb.localhost:%d/", port)) ||
		!strings.Contains(body, "http://plain.localhost") {
		t.Errorf("an unknown host in plain HTTP: %s", body)
	}
}
