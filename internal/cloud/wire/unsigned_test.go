package wire

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestOnlyLinksNeedNoSignature(t *testing.T) {
	const link, other = "/?Action=DescribeVpcs", "/?Action=DeleteVpc&Version=2016-11-15"
	for _, tc := range []struct {
		method, target string
		header         map[string]string
		status         int
	}{
		{http.MethodGet, link, nil, http.StatusOK},
		{http.MethodGet, link, map[string]string{"Sec-Fetch-Site": "none"}, http.StatusOK}, // typed by a user
		{http.MethodGet, link, map[string]string{"Sec-Fetch-Site": "cross-site"}, http.StatusForbidden},
		{http.MethodGet, link, map[string]string{"Origin": "http://example.com"}, http.StatusForbidden},
		{http.MethodGet, link + "&Action=DeleteVpc", nil, http.StatusOK}, // the first one counts
		{http.MethodGet, other, nil, http.StatusForbidden},
		{http.MethodGet, other + "&Action=DescribeVpcs", nil, http.StatusForbidden},
		{http.MethodPost, link, nil, http.StatusForbidden},
		// Who signs is held to the signature.
		{http.MethodGet, link, map[string]string{"Authorization": "AWS4-HMAC-SHA256 x"}, http.StatusBadRequest},
	} {
		e := newEndpoint(t)
		r := httptest.NewRequestWithContext(t.Context(), tc.method, "http://127.0.0.1"+tc.target, nil)
		for name, value := range tc.header {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if w.Code != tc.status {
			t.Errorf("%s %s %v: got %d %s, want %d", tc.method, tc.target, tc.header, w.Code, w.Body, tc.status)
		}
		if caller := e.ec2.caller; caller.AccessKeyID != "" || caller.Region != "" {
			t.Errorf("the caller of a link is %+v", caller)
		}
		if strings.Contains(w.Body.String(), "return>true") {
			t.Error("a link deleted a VPC")
		}
	}
}
