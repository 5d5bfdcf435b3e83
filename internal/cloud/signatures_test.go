//go:build linux

package cloud

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/authority"
	"aloft.dev/aloft/internal/cloud/notification"
)

func TestSubscribersFetchTheSigningCertificate(t *testing.T) {
	d := openAPIs(t)
	var err error
	if d.authority, err = authority.Open(t.TempDir(), time.Now()); err != nil {
		t.Fatal(err)
	}
	_, certificate, err := d.authority.Messages()
	if err != nil {
		t.Fatal(err)
	}
	path := notification.PathOf(certificate)
	for name, handler := range map[string]http.Handler{"on the host": d.onHost, "at a name": d.atNames} {
		for _, request := range []struct {
			method, path string
			want         int
		}{
			{http.MethodGet, path, http.StatusOK},
			{http.MethodPost, path, http.StatusNotFound},
			{http.MethodGet, strings.TrimSuffix(path, ".pem") + "0.pem", http.StatusNotFound},
		} {
			answer := httptest.NewRecorder()
			url := "https://sns.us-east-1.localhost" + request.path
			r := httptest.NewRequestWithContext(t.Context(), request.method, url, nil)
			if handler.ServeHTTP(answer, r); answer.Code != request.want {
				t.Errorf("%s: %s %s: %d", name, request.method, request.path, answer.Code)
			}
			if fetched := answer.Body.String(); request.want == http.StatusOK && fetched != certificate {
				t.Errorf("%s: the certificate is %q", name, fetched)
			}
		}
	}
	if got := d.signer("127.0.0.1:4566").Origin("eu-west-1"); got != "https://sns.eu-west-1.localhost" {
		t.Errorf("the certificate is at %s", got)
	}
	d.Layout.Simulated = true
	if got := d.signer("127.0.0.1:4566").Origin("eu-west-1"); got != "http://127.0.0.1:4566" {
		t.Errorf("that of a simulated cloud, which has no ports, is at %s", got)
	}
}
