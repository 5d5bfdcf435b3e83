package console

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// pair returns both ends of a connection.
func pair(t *testing.T) (a, b net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	if a, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if b, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	return a, b
}

// stage is a console with an actor, and a browser that has used the actor's link.
type stage struct {
	*desk
	cookie *http.Cookie
	leave  context.CancelFunc // ends the actor
	left   chan error
	wanted chan string // what forms have asked the actor for
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{desk: newDesk(t), left: make(chan error, 1), wanted: make(chan string, 1)}
	s.AddFallbacks()
	actor, err := NewPages(PagesConfig{Tabs: LocalTabs(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	actor.Serve("drills", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "none of it")
		_, _ = io.WriteString(w, r.Header.Get(tokenHeader)+" cookie:"+r.Header.Get("Cookie"))
	})
	actor.Act("drills/start", func(r *http.Request) (string, error) {
		s.wanted <- r.FormValue("experiment")
		return "run", nil
	})
	here, there := pair(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.leave = cancel
	link, ended := make(chan string, 1), make(chan error, 1)
	go func() { s.left <- ServeActor(ctx, there, actor) }()
	go func() {
		ended <- s.Attach(t.Context(), "us-east-1", here, func(path string) error {
			link <- path
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		s.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	s.cookie = s.get(t, <-link, nil).Cookies()[0]
	// The page of the console serves until the actor is connected.
	for began := time.Now(); !strings.Contains(s.body(t, drillsPath, http.StatusOK), " cookie:"); {
		if time.Since(began) > time.Minute {
			t.Fatal("the actor serves nothing")
		}
	}
	return s
}

const drillsPath = Path + "us-east-1/drills"

// body requests a path with the actor's cookie until it has a status, and returns its body.
func (s *stage) body(t *testing.T, path string, status int) string {
	t.Helper()
	for began := time.Now(); ; {
		response := s.get(t, path, s.cookie)
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode == status {
			return string(text)
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("%s: %s\n%s", path, response.Status, text)
		}
	}
}

// post sends a form and returns the status.
func (s *stage) post(form url.Values, cookie *http.Cookie, change ...func(*http.Request)) int {
	body := strings.NewReader(form.Encode())
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:4566"+drillsPath+"/start", body)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "http://127.0.0.1:4566")
	if cookie != nil {
		r.AddCookie(cookie)
	}
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code
}

func TestActorServesItsPagesToItsBrowserAlone(t *testing.T) {
	s := newStage(t)
	token, _, _ := strings.Cut(s.body(t, drillsPath, http.StatusOK), " ")
	if token != formToken(s.cookie.Value) {
		t.Errorf("the page has the token %q", token)
	}
	if text := s.body(t, drillsPath, http.StatusOK); !strings.HasSuffix(text, " cookie:") {
		t.Errorf("the actor received %q", text)
	}
	response := s.get(t, drillsPath, s.cookie)
	if csp := response.Header["Content-Security-Policy"]; len(csp) != 1 || csp[0] != policy {
		t.Errorf("policy %q", csp)
	}
	other, err := io.ReadAll(s.get(t, drillsPath, s.signIn(t)).Body)
	if err != nil || !strings.Contains(string(other), "aloft console") {
		t.Errorf("another link leads to %s, %v", other, err)
	}
}

func TestOnlyFormsOfPagesAskForActions(t *testing.T) {
	s := newStage(t)
	good := url.Values{"token": {formToken(s.cookie.Value)}, "experiment": {"zone"}}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	reader := s.signIn(t)
	for name, status := range map[string]int{
		"without a cookie":         s.post(good, nil),
		"without a token":          s.post(url.Values{"experiment": {"zone"}}, s.cookie),
		"with another's token":     s.post(url.Values{"token": {formToken(reader.Value)}}, s.cookie),
		"of another site":          s.post(good, s.cookie, header("Origin", "http://evil.example")),
		"of another port":          s.post(good, s.cookie, header("Origin", "http://127.0.0.1:8080")),
		"of an opaque origin":      s.post(good, s.cookie, header("Origin", "null")),
		"without an origin":        s.post(good, s.cookie, func(r *http.Request) { r.Header.Del("Origin") }),
		"cross-site":               s.post(good, s.cookie, header("Sec-Fetch-Site", "cross-site")),
		"with its token in a page": s.post(nil, s.cookie, func(r *http.Request) { r.URL.RawQuery = good.Encode() }),
		"that is not a form's":     s.post(good, s.cookie, header("Content-Type", "text/plain")),
	} {
		if status != http.StatusForbidden {
			t.Errorf("a request %s: %d", name, status)
		}
	}
	if status := s.post(url.Values{"token": {formToken(reader.Value)}}, reader); status == http.StatusSeeOther {
		t.Error("a browser that may only read has started something")
	}
	select {
	case wanted := <-s.wanted:
		t.Errorf("the actor was asked for %q", wanted)
	default:
	}
	s.user = "1001"
	if status := s.post(good, s.cookie); status != http.StatusForbidden {
		t.Errorf("another user: %d", status)
	}
	s.user = "1000"
	if status := s.post(good, s.cookie); status != http.StatusSeeOther {
		t.Fatalf("a form of a page: %d", status)
	}
	if wanted := <-s.wanted; wanted != "zone" {
		t.Errorf("the actor was asked for %q", wanted)
	}
}

func TestPagesOfAnActorEndWithIt(t *testing.T) {
	s := newStage(t)
	s.leave()
	if err := <-s.left; !errors.Is(err, context.Canceled) {
		t.Errorf("the actor ends with %v", err)
	}
	good := url.Values{"token": {formToken(s.cookie.Value)}}
	if status := s.post(good, s.cookie); status != http.StatusBadGateway && status != http.StatusMethodNotAllowed {
		t.Errorf("a form after the end: %d", status)
	}
	for began := time.Now(); !strings.Contains(s.body(t, drillsPath, http.StatusOK), "<pre"); {
		if time.Since(began) > time.Minute {
			t.Fatal("the page does not say that nobody performs drills")
		}
	}
}
