package engine

import (
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"testing"
)

// visitor is a client that keeps cookies, and asks the first node.
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
		req, err := http.NewRequestWithContext(
			t.Context(),
			method,
			fmt.Sprintf("http://127.0.1.1:%d%s", port, path),
			nil,
		)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		answer, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer, string(body)
	}
}

func TestRulesDecideOnRealTraffic(t *testing.T) {
	web, api := balancertest.Backend(t, "web", nil), balancertest.Backend(t, "api", nil)
	e, port := newEngine(t), balancertest.FreePort(t)
	conf := balancertest.OneGroup(port, 1, web)
	conf.TargetGroups = append(
		conf.TargetGroups,
		balancer.TargetGroup{ARN: "arn:api", Check: balancertest.Check, Targets: []balancer.Target{api}},
	)
	values := func(field string, v ...string) balancer.Condition { return balancer.Condition{Field: field, Values: v} }
	conf.LoadBalancers[0].Listeners[0].Rules = []balancer.Rule{
		{
			ARN:        "r3",
			Priority:   3,
			Conditions: []balancer.Condition{values("host-header", "*.example.com")},
			Action:     balancertest.Forward("arn:api"),
		},
		{
			ARN:        "r1",
			Priority:   1,
			Conditions: []balancer.Condition{values("path-pattern", "/old/*")},
			Action: balancer.Action{
				Redirect: &balancer.Redirect{
					Protocol: "HTTP",
					Host:     "#{host}",
					Port:     "#{port}",
					Path:     "/new/#{path}",
					Query:    "#{query}",
					Code:     302,
				},
			},
		},
		{
			ARN:        "r2",
			Priority:   2,
			Conditions: []balancer.Condition{values("http-request-method", "DELETE"), values("source-ip", "127.0.0.0/8")},
			Action:     balancer.Action{FixedResponse: &balancer.FixedResponse{Code: 403, ContentType: "text/plain", Body: "no"}},
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
		answer, body := visit(c.method, c.path, c.host, port)
		if answer.StatusCode != c.code || c.body != "" && body != c.body {
			t.Errorf("%s %s %s: %d %q", c.method, c.host, c.path, answer.StatusCode, body)
		}
	}
}

func TestClientsStayWithTheirTargetOnRealTraffic(t *testing.T) {
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
		name    string
		sticky  balancer.Stickiness
		cookies int
	}{{"by the load balancer's cookie", balancer.Stickiness{For: balancertest.Check.Interval * 1000}, 3}, {"by the application's", balancer.Stickiness{Cookie: "SID", For: balancertest.Check.Interval * 1000}, 5}} {
		t.Run(c.name, func(t *testing.T) {
			e, port := newEngine(t), balancertest.FreePort(t)
			conf := balancertest.OneGroup(port, 1, targets...)
			conf.TargetGroups[0].Sticky = &c.sticky
			e.Set(conf)
			waitHealthy(t, e)
			visit := visitor(t)
			answer, first := visit("GET", "/login", "h", port)
			if n := len(answer.Cookies()); n != c.cookies {
				t.Errorf("%d cookies: %v", n, answer.Header)
			}
			for range 9 {
				if _, body := visit("GET", "/", "h", port); body != first {
					t.Fatalf("it went from %s to %s", first, body)
				}
			}
			seen := map[string]bool{}
			for range 3 {
				_, body := visitor(t)("GET", "/", "h", port)
				seen[body] = true
			}
			if len(seen) != 3 {
				t.Errorf("strangers see %v", seen)
			}
		})
	}
}
