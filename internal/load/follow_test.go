package load

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A redirected request counts by the answer at its end: the page that it leads to may fail.
func TestRedirectsAreFollowed(t *testing.T) {
	site := http.NewServeMux()
	site.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/broken", http.StatusMovedPermanently)
	})
	site.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
	})
	site.HandleFunc("/good", func(http.ResponseWriter, *http.Request) {})
	s := httptest.NewServer(site)
	defer s.Close()
	for _, test := range []struct {
		path   string
		follow bool
		want   Kind
	}{{"/moved", false, OK}, {"/moved", true, BadGateway}, {"/good", true, OK}} {
		r := run(t, Config{URL: s.URL + test.path, Rate: 100, Follow: test.follow}, 100*time.Millisecond)
		if n := len(r.Samples); n == 0 || count(r)[test.want] != n {
			t.Errorf("%+v: %v of %d requests", test, count(r), n)
		}
	}
}
