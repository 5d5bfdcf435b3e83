package console

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// desk is a console whose cloud answers nothing.
type desk struct {
	*Console
	now  time.Time
	user string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{now: time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC), user: "1000"}
	c, err := New(Config{
		AWS:   func(string) aws.Config { return aws.Config{} },
		Watch: func() func(context.Context) error { return func(context.Context) error { return nil } },
		User:  func(*http.Request) (string, bool) { return d.user, d.user != "" },
		Calls: &Calls{}, Now: func() time.Time { return d.now },
		Pages: PagesConfig{Log: slog.New(slog.DiscardHandler)},
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Console = c
	return d
}

// get requests a path, with a cookie if that is not nil.
func (d *desk) get(t *testing.T, path string, cookie *http.Cookie, change ...func(*http.Request)) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:4566"+path, nil)
	if cookie != nil {
		r.AddCookie(cookie)
	}
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Result()
}

// link returns a new link.
func (d *desk) link(t *testing.T) string {
	t.Helper()
	link, err := d.Link("us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	return link
}

// signIn uses a link and returns the cookie.
func (d *desk) signIn(t *testing.T) *http.Cookie {
	t.Helper()
	response := d.get(t, d.link(t), nil)
	if response.StatusCode != http.StatusSeeOther || len(response.Cookies()) != 1 {
		t.Fatalf("the link answers %s with cookies %v", response.Status, response.Cookies())
	}
	return response.Cookies()[0]
}

const callsPath = Path + "us-east-1/calls"

func TestLinkOpensTheConsoleOnce(t *testing.T) {
	d := newDesk(t)
	link := d.link(t)
	response := d.get(t, link, nil)
	if to := response.Header.Get("Location"); to != Path+"us-east-1/topology" {
		t.Errorf("the link leads to %q", to)
	}
	cookie := response.Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != Path || cookie.Domain != "" {
		t.Errorf("cookie %v", cookie)
	}
	if got := d.get(t, callsPath, cookie).StatusCode; got != http.StatusOK {
		t.Errorf("with the cookie: %d", got)
	}
	if got := d.get(t, link, nil).StatusCode; got != http.StatusForbidden {
		t.Errorf("the link in a second browser: %d", got)
	}
	if got := d.get(t, link, cookie).StatusCode; got != http.StatusSeeOther {
		t.Errorf("the link again in the same browser: %d", got)
	}
	late := d.link(t)
	d.now = d.now.Add(linkLife)
	if got := d.get(t, late, nil).StatusCode; got != http.StatusForbidden {
		t.Errorf("a link after its time: %d", got)
	}
	d.now = d.now.Add(sessionLife)
	if got := d.get(t, callsPath, cookie).StatusCode; got != http.StatusForbidden {
		t.Errorf("a session after its time: %d", got)
	}
}

func TestSessionBelongsToOneUser(t *testing.T) {
	d := newDesk(t)
	cookie := d.signIn(t)
	for user, want := range map[string]int{"1001": 403, "": 403, "1000": 200} {
		d.user = user
		if got := d.get(t, callsPath, cookie).StatusCode; got != want {
			t.Errorf("user %q with the cookie of user 1000: %d, want %d", user, got, want)
		}
	}
}

func TestForgedAndMissingCookiesSeeNothing(t *testing.T) {
	d := newDesk(t)
	d.signIn(t)
	name := cookieName + "-4566"
	for _, cookie := range []*http.Cookie{nil, {Name: name, Value: ""}, {Name: name, Value: "x"}} {
		for _, path := range []string{"topology", "resource?id=i-1", "calls", "calls/live", "why", "topology/live"} {
			response := d.get(t, Path+"us-east-1/"+path, cookie)
			if response.StatusCode != http.StatusForbidden {
				t.Errorf("%s with cookie %v: %s", path, cookie, response.Status)
			}
		}
	}
}

func TestRequestsOfOtherSitesAreRefused(t *testing.T) {
	d := newDesk(t)
	cookie := d.signIn(t)
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	for name, c := range map[string]struct {
		change func(*http.Request)
		want   int
	}{
		"typed by the user":       {header("Sec-Fetch-Site", "none"), 200},
		"a link on a page":        {header("Sec-Fetch-Site", "same-origin"), 200},
		"its own origin":          {header("Origin", "http://127.0.0.1:4566"), 200},
		"localhost":               {host("localhost:4566"), 200},
		"IPv6":                    {host("[::1]:4566"), 200},
		"cross-site":              {header("Sec-Fetch-Site", "cross-site"), 403},
		"another port":            {header("Sec-Fetch-Site", "same-site"), 403},
		"origin on another port":  {header("Origin", "http://127.0.0.1:8080"), 403},
		"opaque origin":           {header("Origin", "null"), 403},
		"rebound name":            {host("evil.example:4566"), 403},
		"name of an application":  {host("shop.localhost:4566"), 403},
		"a form that posts":       {func(r *http.Request) { r.Method = http.MethodPost }, 403},
		"a request that deletes":  {func(r *http.Request) { r.Method = http.MethodDelete }, 403},
		"no host":                 {host(""), 403},
		"address of the internet": {host("192.0.2.1"), 403},
	} {
		if got := d.get(t, callsPath, cookie, c.change).StatusCode; got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestEveryResponseIsProtected(t *testing.T) {
	d := newDesk(t)
	cookie := d.signIn(t)
	for _, path := range []string{d.link(t), callsPath, Path + "assets/console.js", Path + "nothing", callsPath + "x"} {
		for _, c := range []*http.Cookie{cookie, nil} {
			h := d.get(t, path, c).Header
			csp := h.Get("Content-Security-Policy")
			if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") ||
				strings.Contains(csp, "http") || !strings.Contains(csp, "frame-ancestors 'none'") {
				t.Errorf("%s: policy %q", path, csp)
			}
			if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" ||
				h.Get("Referrer-Policy") != "same-origin" {
				t.Errorf("%s: headers %v", path, h)
			}
		}
	}
}

func TestPagesHoldNothingThatThePolicyForbids(t *testing.T) {
	files, err := pageFiles.ReadDir("pages")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := pageFiles.ReadFile("pages/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, forbidden := range []string{"style=", "<style", "onclick", "javascript:", "http://", "https://"} {
			if strings.Contains(string(text), forbidden) {
				t.Errorf("%s holds %q", file.Name(), forbidden)
			}
		}
	}
}

func TestCallsAreFiltered(t *testing.T) {
	d := newDesk(t)
	cookie := d.signIn(t)
	for i, operation := range []string{"RunInstances", "DescribeVpcs", "<script>alert(1)</script>"} {
		d.Calls.Add(Call{
			At: d.now, Service: "ec2", Operation: operation, Region: "us-east-1",
			Code: []string{"OK", "AuthFailure", "OK"}[i], Took: 1500 * time.Microsecond,
		})
	}
	for query, want := range map[string][]string{
		"":                     {"RunInstances", "DescribeVpcs", "&lt;script&gt;", "✗ AuthFailure", "1.5"},
		"?filter=EC2+describe": {"DescribeVpcs"},
		"?errors=1":            {"DescribeVpcs"},
		"?filter=s3":           {"No such call"},
	} {
		body, err := io.ReadAll(d.get(t, callsPath+query, cookie).Body)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range want {
			if !strings.Contains(string(body), word) {
				t.Errorf("%q lacks %q", query, word)
			}
		}
		if strings.Contains(string(body), "<script>") || query != "" && strings.Contains(string(body), "RunInstances") {
			t.Errorf("%q shows too much", query)
		}
	}
}

func TestCallsKeepTheLatest(t *testing.T) {
	var calls Calls
	for i := range keptCalls + 5 {
		calls.Add(Call{Took: time.Duration(i)})
	}
	latest := calls.latest(func(Call) bool { return true })
	if len(latest) != shownCalls || latest[0].Took != keptCalls+4 ||
		latest[shownCalls-1].Took != keptCalls+5-shownCalls {
		t.Errorf("%d calls from %d to %d", len(latest), latest[0].Took, latest[len(latest)-1].Took)
	}
	oldest := calls.latest(func(c Call) bool { return c.Took <= 5 })
	if len(oldest) != 1 || oldest[0].Took != 5 {
		t.Errorf("the oldest are %v", oldest)
	}
}

// TestCallsTakeLittleMemory fills the ring with calls of as many kinds as AWS's busiest clients
// make.
func TestCallsTakeLittleMemory(t *testing.T) {
	const most = 3 << 20
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	calls := &Calls{}
	for i := range 2 * keptCalls {
		calls.Add(Call{
			At: time.Unix(int64(i), 0), Service: "ec2", Operation: fmt.Sprintf("Describe%d", i%300),
			Region: "us-east-1", Code: strings.Repeat("x", i%1000),
		})
	}
	grown := int64(heap()) - int64(before)
	if latest := calls.latest(func(Call) bool { return true }); len(latest) != shownCalls || grown > most {
		t.Errorf("%d calls take %d bytes, want at most %d", keptCalls, grown, most)
	}
	t.Logf("%d calls take %d KiB", keptCalls, grown>>10)
}

func TestPageFollowsCallsUntilTheConsoleCloses(t *testing.T) {
	d := newDesk(t)
	server := httptest.NewServer(d)
	defer server.Close()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(server.URL + Path)
	if err != nil {
		t.Fatal(err)
	}
	cookie := d.signIn(t)
	cookie.Name = cookieName + "-" + at.Port()
	jar.SetCookies(at, []*http.Cookie{cookie})
	client := &http.Client{Jar: jar}
	defer client.CloseIdleConnections()
	response, err := client.Get(server.URL + callsPath + "/live?filter=run")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	until := func(word string) {
		t.Helper()
		var seen strings.Builder
		for part := make([]byte, 4096); !strings.Contains(seen.String(), word); {
			n, err := response.Body.Read(part)
			seen.Write(part[:n])
			if err != nil {
				t.Fatalf("%v before %q in %q", err, word, seen.String())
			}
		}
	}
	until("No such call")
	d.Calls.Add(Call{At: d.now, Service: "ec2", Operation: "RunInstances", Code: "OK"})
	until("RunInstances")
	d.Close()
	if _, err := io.ReadAll(response.Body); err != nil {
		t.Errorf("the stream ends with %v", err)
	}
}
