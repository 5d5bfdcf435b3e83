//go:build linux

package program

import (
	"context"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/load"
)

// Browser resolves names under .localhost to loopback, as browsers do (RFC 6761,
// section 6.3). It opens a connection for every request.
var Browser = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
	DisableKeepAlives: true,
	DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, _ := net.SplitHostPort(address)
		if strings.HasSuffix(host, ".localhost") {
			host = "127.0.0.1"
		}
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(host, port))
	},
}}

// Get requests a URL with Browser.
func Get(url string) (status int, body string, err error) {
	response, err := Browser.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	return response.StatusCode, string(data), err
}

// Fetch returns the body at a URL and fails the test unless the status is 200.
func Fetch(t *testing.T, url string) string {
	t.Helper()
	status, body, err := Get(url)
	if err != nil || status != http.StatusOK {
		t.Fatalf("%s: %d %s %v", url, status, body, err)
	}
	return body
}

// UnderLoad sends 300 requests per second to the application until the returned
// function is called. That function fails the test if any request failed.
func UnderLoad(t *testing.T, url string) (stop func()) { return UnderLoadTrusting(t, url, nil) }

// UnderLoadTrusting is UnderLoad over HTTPS, with the certificates to trust.
func UnderLoadTrusting(t *testing.T, url string, roots *x509.CertPool) (stop func()) {
	return Load{URL: url, Roots: roots, Rate: 300, Least: 3000}.Start(t)
}

// Load is a load of which no request may fail.
type Load struct {
	URL   string
	Roots *x509.CertPool // to trust; nil: those of the system
	Rate  float64        // requests a second
	Least int            // how many requests are sent at least
}

// Start starts the load. stop ends it, and fails the test if any request failed.
func (l Load) Start(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, _ := net.SplitHostPort(address)
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	}
	generator := load.New(load.Config{URL: l.URL, Rate: l.Rate, Dial: dial, Roots: l.Roots})
	recorded := make(chan load.Recording, 1)
	began := time.Now()
	go func() { recorded <- generator.Run(ctx) }()
	return func() {
		t.Helper()
		Eventually(t, Patience, "enough requests", func() bool {
			return len(generator.Snapshot().Samples) >= l.Least
		})
		cancel()
		r := <-recorded
		failed := map[load.Kind]int{}
		for _, s := range r.Samples {
			if s.Kind != load.OK {
				failed[s.Kind]++
				t.Logf("%v after the start: %s", s.At, s.Kind)
			}
		}
		t.Logf("%d requests in %s, failed: %v", len(r.Samples), time.Since(began).Round(time.Second), failed)
		if len(failed) > 0 || len(r.Samples) < l.Least {
			t.Errorf("%v of %d requests failed", failed, len(r.Samples))
		}
	}
}
