package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

func hexSHA256(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

const describe = "Action=DescribeVpcs&Version=2016-11-15"

func TestInvalidSignaturesAreRefused(t *testing.T) {
	identity := "Action=GetCallerIdentity&Version=2011-06-15"
	ec2Request := func(t *testing.T) *http.Request {
		return signed(t, query(describe), "ec2", describe, testKey, testSecret, noon)
	}
	stsRequest := func(t *testing.T, key, secret string, at time.Time) *http.Request {
		return signed(t, query(identity), "sts", identity, key, secret, at)
	}
	tests := []struct {
		name    string
		request func(t *testing.T) *http.Request
		status  int
		code    string
	}{
		{"signed", ec2Request, 200, ""},
		{
			"signed, query service",
			func(t *testing.T) *http.Request { return stsRequest(t, testKey, testSecret, noon) },
			200,
			"",
		},
		{"no signature", func(*testing.T) *http.Request { return query(describe) }, 403, "MissingAuthenticationToken"},
		{"another scheme", func(*testing.T) *http.Request {
			r := query(describe)
			r.Header.Set("Authorization", "Bearer x")
			return r
		}, 400, "IncompleteSignature"},
		{"unknown key, EC2", func(t *testing.T) *http.Request {
			return signed(t, query(describe), "ec2", describe, "AKIAOTHER", testSecret, noon)
		}, 401, "AuthFailure"},
		{
			"unknown key, query",
			func(t *testing.T) *http.Request { return stsRequest(t, "AKIAOTHER", testSecret, noon) },
			403,
			"InvalidClientTokenId",
		},
		{"wrong secret, EC2", func(t *testing.T) *http.Request {
			return signed(t, query(describe), "ec2", describe, testKey, "guess", noon)
		}, 401, "AuthFailure"},
		{
			"wrong secret, query",
			func(t *testing.T) *http.Request { return stsRequest(t, testKey, "guess", noon) },
			403,
			"SignatureDoesNotMatch",
		},
		{"body changed", func(t *testing.T) *http.Request {
			r := ec2Request(t)
			r.Body = io.NopCloser(strings.NewReader(strings.Replace(describe, "DescribeVpcs", "DeleteVpc000", 1)))
			return r
		}, 401, "AuthFailure"},
		{"query string changed", func(t *testing.T) *http.Request {
			r := ec2Request(t)
			r.URL.RawQuery = "a=b"
			return r
		}, 401, "AuthFailure"},
		{"path changed", func(t *testing.T) *http.Request {
			r := ec2Request(t)
			r.URL.Path = "/x"
			return r
		}, 401, "AuthFailure"},
		{"signed header changed", func(t *testing.T) *http.Request {
			r := ec2Request(t)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			return r
		}, 401, "AuthFailure"},
		{"signed header missing", func(t *testing.T) *http.Request {
			r := ec2Request(t)
			r.Header.Set(
				"Authorization",
				strings.Replace(r.Header.Get("Authorization"), "host;", "host;x-amz-absent;", 1),
			)
			return r
		}, 401, "AuthFailure"},
		{"host not signed", func(t *testing.T) *http.Request {
			r := ec2Request(t)
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "host;", "", 1))
			return r
		}, 400, "IncompleteSignature"},
		{"other region in the scope", func(t *testing.T) *http.Request {
			r := ec2Request(t)
			r.Header.Set(
				"Authorization",
				strings.Replace(r.Header.Get("Authorization"), "eu-central-1", "us-east-1", 1),
			)
			return r
		}, 401, "AuthFailure"},
		{"region that is none", func(t *testing.T) *http.Request {
			r := ec2Request(t)
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "eu-central-1", "..", 1))
			return r
		}, 400, "IncompleteSignature"},
		{"signed for another service", func(t *testing.T) *http.Request {
			return signed(t, query(describe), "s3", describe, testKey, testSecret, noon)
		}, 400, "NotImplemented"},
		{
			"clock within five minutes",
			func(t *testing.T) *http.Request { return stsRequest(t, testKey, testSecret, noon.Add(-5*time.Minute)) },
			200,
			"",
		},
		{"clock behind, EC2", func(t *testing.T) *http.Request {
			return signed(
				t, query(describe), "ec2", describe, testKey, testSecret, noon.Add(-5*time.Minute-time.Second),
			)
		}, 400, "RequestExpired"},
		{
			"clock behind, query",
			func(t *testing.T) *http.Request { return stsRequest(t, testKey, testSecret, noon.Add(-6*time.Minute)) },
			403,
			"SignatureDoesNotMatch",
		},
		{
			"clock ahead",
			func(t *testing.T) *http.Request { return stsRequest(t, testKey, testSecret, noon.Add(6*time.Minute)) },
			403,
			"SignatureDoesNotMatch",
		},
		{"date of another day", func(t *testing.T) *http.Request {
			r := ec2Request(t)
			r.Header.Set("X-Amz-Date", "20261122T235959Z")
			return r
		}, 400, "IncompleteSignature"},
		{"presigned", func(t *testing.T) *http.Request {
			return presigned(t, "sts", identity+"&X-Amz-Expires=60", testKey, testSecret, noon.Add(-time.Minute))
		}, 200, ""},
		{"presigned and over", func(t *testing.T) *http.Request {
			return presigned(t, "sts", identity+"&X-Amz-Expires=59", testKey, testSecret, noon.Add(-time.Minute))
		}, 403, "SignatureDoesNotMatch"},
		{"presigned and changed", func(t *testing.T) *http.Request {
			r := presigned(t, "sts", identity+"&X-Amz-Expires=60", testKey, testSecret, noon)
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "Expires=60", "Expires=61", 1)
			return r
		}, 403, "SignatureDoesNotMatch"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			e := newEndpoint(t, atNoon)
			w := e.send(tc.request(t))
			if w.Code != tc.status || !strings.Contains(w.Body.String(), "<Code>"+tc.code+"</Code>") && tc.code != "" {
				t.Errorf("response = %d %s, want %d %s", w.Code, w.Body, tc.status, tc.code)
			}
			if tc.status != http.StatusOK && e.ec2.got != nil {
				t.Error("the operation was called")
			}
		})
	}
}

func TestSignatureOfUnusualURLsMatchesSDK(t *testing.T) {
	for _, target := range []string{
		"/", "/a%20b/c", "/ä", "/?b=2&a=1&a=0&c", "/?x=%20+%2B~*%27&y=a%3Db", "/?Filter.1.Value.1=%F0%9F%98%80",
	} {
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:4566"+target, nil)
		r.Header.Set("X-Spaces", "  a   b ")
		signed(t, r, "ec2", "", testKey, testSecret, noon)
		var c claim
		if err := c.parse(r); err != nil {
			t.Fatal(err)
		}
		if !c.verify(r, nil, testSecret) {
			t.Errorf("signature of %s differs from the SDK's", target)
		}
	}
}

func TestAcceptAnyCredentials(t *testing.T) {
	e := newEndpoint(t, atNoon, func(c *Config) { c.AcceptAnyCredentials = true })
	r := signed(t, query(describe), "ec2", describe, "anyone", "anything", noon.Add(-time.Hour))
	if w := e.send(r); w.Code != http.StatusOK {
		t.Errorf("response = %d %s, want 200", w.Code, w.Body)
	}
	if e.ec2.caller.AccessKeyID != "anyone" || e.ec2.caller.Region != "eu-central-1" {
		t.Errorf("caller = %+v", e.ec2.caller)
	}
}

func TestAKeyOfTwelveDigitsIsItsAccountsWhereAnyKeyIsAccepted(t *testing.T) {
	for _, test := range []struct {
		anyKey, accounts bool
		key              string
		want             identity.Region // "": the key is refused
	}{
		{true, true, "111122223333", "111122223333/eu-central-1"},
		{true, true, "000000000000", "eu-central-1"},
		{true, true, "11112222333", "eu-central-1"},
		{true, true, "11112222333a", "eu-central-1"},
		{true, true, testKey, "eu-central-1"},
		{true, false, "111122223333", "eu-central-1"},
		{false, true, "111122223333", ""},
	} {
		e := newEndpoint(t, atNoon, func(c *Config) {
			c.AcceptAnyCredentials, c.AccountKeys = test.anyKey, test.accounts
		})
		e.send(signed(t, query(describe), "ec2", describe, test.key, "", noon))
		if got := e.ec2.caller.Region; got != test.want {
			t.Errorf("%+v: the caller's region is %q", test, got)
		}
	}
}
