//go:build linux

package engine

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

// visitor returns a client of the first node that keeps cookies.
func visitor(t *testing.T) func(method, path, host string, port uint16) (*http.Response, string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{
		Transport:     &http.Transport{},
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(client.CloseIdleConnections)
	return func(method, path, host string, port uint16) (*http.Response, string) {
		t.Helper()
		url := fmt.Sprintf("http://127.0.1.1:%d%s", port, path)
		req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(body)
	}
}

func TestRulesDecideOnTraffic(t *testing.T) {
	web, api := balancertest.Backend(t, "web", nil), balancertest.Backend(t, "api", nil)
	e, port := newEngine(t), balancertest.FreePort(t)
	conf := balancertest.OneGroup(port, 1, web)
	group := balancer.TargetGroup{ARN: "arn:api", Check: balancertest.Check, Targets: []balancer.Target{api}}
	conf.TargetGroups = append(conf.TargetGroups, group)
	values := func(field, v string) balancer.Condition { return balancer.Condition{Field: field, Values: []string{v}} }
	conf.LoadBalancers[0].Listeners[0].Rules = []balancer.Rule{
		{
			ARN: "r3", Priority: 3, Action: balancertest.Forward("arn:api"),
			Conditions: []balancer.Condition{values("host-header", "*.example.com")},
		},
		balancertest.OnPath(1, "/old/*", balancer.Action{Redirect: &balancer.Redirect{
			Protocol: "HTTP", Host: "#{host}", Port: "#{port}", Path: "/new/#{path}", Query: "#{query}", Code: 302,
		}}),
		{
			ARN: "r2", Priority: 2, Action: balancertest.Fixed(403, "no"),
			Conditions: []balancer.Condition{
				values("http-request-method", "DELETE"), values("source-ip", "127.0.0.0/8"),
			},
		},
	}
	e.Set(conf)
	waitHealthy(t, e)
	visit := visitor(t)
	for _, c := range []struct {
		method, path, host string
		code               int
		body               string
	}{
		{"GET", "/", "other.org", 200, "web"},
		{"GET", "/?a=b", fmt.Sprintf("API.example.com:%d", port), 200, "api"},
		{"GET", "/old/x?y=z", "api.example.com", 302, ""},
		{"DELETE", "/x", "api.example.com", 403, "no"},
	} {
		resp, body := visit(c.method, c.path, c.host, port)
		if resp.StatusCode != c.code || c.body != "" && body != c.body {
			t.Errorf("%s %s %s: %d %q", c.method, c.host, c.path, resp.StatusCode, body)
		}
	}
}

func TestClientsStayWithTheirTarget(t *testing.T) {
	app := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/login" {
				http.SetCookie(w, &http.Cookie{Name: "SID", Value: name, Path: "/"})
			}
			_, _ = io.WriteString(w, name)
		}
	}
	var targets []balancer.Target
	for _, name := range []string{"a", "b", "c"} {
		targets = append(targets, balancertest.Backend(t, name, app(name)))
	}
	for _, c := range []struct {
		name, cookie string
		cookies      int
	}{{"by the load balancer's cookie", "", 3}, {"by the application's cookie", "SID", 5}} {
		t.Run(c.name, func(t *testing.T) {
			e, port := newEngine(t), balancertest.FreePort(t)
			conf := balancertest.OneGroup(port, 1, targets...)
			conf.TargetGroups[0].Sticky = &balancer.Stickiness{Cookie: c.cookie, For: time.Minute}
			e.Set(conf)
			waitHealthy(t, e)
			visit := visitor(t)
			resp, first := visit("GET", "/login", "h", port)
			if n := len(resp.Cookies()); n != c.cookies {
				t.Errorf("%d cookies: %v", n, resp.Header)
			}
			for range 9 {
				if _, body := visit("GET", "/", "h", port); body != first {
					t.Fatalf("the client moved from %s to %s", first, body)
				}
			}
			seen := map[string]bool{}
			for range 3 {
				_, body := visitor(t)("GET", "/", "h", port)
				seen[body] = true
			}
			if len(seen) != 3 {
				t.Errorf("new clients went to %v", seen)
			}
		})
	}
}
