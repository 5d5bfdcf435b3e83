package wire

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestRequestsFromWebPagesAreRefused(t *testing.T) {
	tests := []struct {
		name   string
		host   string
		header [2]string
		status int
	}{
		{"loopback", "127.0.0.1:4566", [2]string{}, http.StatusOK},
		{"loopback, IPv6", "[::1]:4566", [2]string{}, http.StatusOK},
		{"localhost", "localhost:4566", [2]string{}, http.StatusOK},
		{"name under localhost", "ec2.localhost", [2]string{}, http.StatusOK},
		{"configured name", "aloft.test:4566", [2]string{}, http.StatusOK},
		{"rebound name", "evil.example:4566", [2]string{}, http.StatusForbidden},
		{"rebound name that looks local", "localhost.evil.example", [2]string{}, http.StatusForbidden},
		{"another address", "192.0.2.1:4566", [2]string{}, http.StatusForbidden},
		{"no host", "", [2]string{}, http.StatusForbidden},
		{"origin", "127.0.0.1:4566", [2]string{"Origin", "https://evil.example"}, http.StatusForbidden},
		{"opaque origin", "127.0.0.1:4566", [2]string{"Origin", "null"}, http.StatusForbidden},
		{"cross-site", "127.0.0.1:4566", [2]string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		{"same-site", "127.0.0.1:4566", [2]string{"Sec-Fetch-Site", "same-site"}, http.StatusForbidden},
		{"typed by the user", "127.0.0.1:4566", [2]string{"Sec-Fetch-Site", "none"}, http.StatusOK},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			fallback := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
			e := newEndpoint(t, atNoon, func(c *Config) {
				c.Hosts, c.Fallback = []string{"aloft.test"}, fallback
			})
			aws := query(describe)
			fallbackRequest := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:4566/_aloft/health", nil)
			for _, r := range []*http.Request{aws, fallbackRequest} {
				r.Host = tc.host
				if tc.header[0] != "" {
					r.Header.Set(tc.header[0], tc.header[1])
				}
			}
			signed(t, fallbackRequest, OwnService, "", testKey, testSecret, noon)
			signed(t, aws, "ec2", describe, testKey, testSecret, noon)
			if w := e.send(aws); w.Code != tc.status {
				t.Errorf("AWS request: response %d %s, want %d", w.Code, w.Body, tc.status)
			}
			if w := e.send(fallbackRequest); w.Code != tc.status {
				t.Errorf("request to /_aloft/: response %d %s, want %d", w.Code, w.Body, tc.status)
			}
		})
	}
}
