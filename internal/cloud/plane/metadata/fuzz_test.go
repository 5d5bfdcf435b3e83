//go:build linux

package metadata

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// guarded is a source with one instance, whose user data nobody may read without a token.
type guarded struct{}

const userDataSecret = "the secret in the user data"

func (guarded) Instance(string, netip.Addr) (Instance, bool) {
	return Instance{
		ID: "i-1", EndpointEnabled: true, TokensRequired: true, UserData: []byte(userDataSecret),
		Tags: map[string]string{"a/b": "c"}, TagsEnabled: true, PublicKey: "ssh-ed25519 AAAA",
		Profile: &Profile{ARN: "arn", ID: "AIP", Role: "role", Credentials: func() (Credentials, error) {
			return Credentials{AccessKeyID: "ASIA", SecretAccessKey: userDataSecret}, nil
		}},
	}, true
}

// FuzzRequest sends requests without a token, and the same ones with a token.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		"GET /latest/user-data HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n",
		"GET /latest/meta-data/iam/security-credentials/role HTTP/1.1\r\nHost: x\r\n" +
			"X-aws-ec2-metadata-token: AAAA\r\n\r\n",
		"PUT /latest/api/token HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token-ttl-seconds: 21600\r\n\r\n",
		"PUT /latest/api/token HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: y\r\n" +
			"X-aws-ec2-metadata-token-ttl-seconds: -1\r\n\r\n",
		"HEAD //latest/../latest/meta-data/tags/instance/a%2fb/ HTTP/1.0\r\n\r\n",
		"GET http://other/latest/dynamic/instance-identity/document HTTP/1.1\r\nHost: other\r\n\r\n",
		"POST /latest/meta-data HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab",
		"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
		"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	server, err := New(guarded{}, slog.New(slog.DiscardHandler))
	if err != nil {
		f.Fatal(err)
	}
	handler := server.Handler("vpc")
	answer := func(t *testing.T, raw []byte, token string) *httptest.ResponseRecorder {
		t.Helper()
		request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			return nil
		}
		request.RemoteAddr = "10.0.0.1:1024"
		if token != "" {
			request.Header.Set(tokenHeader, token)
		}
		response := httptest.NewRecorder()
		handler.ServeHTTP(response, request)
		return response
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		response := answer(t, raw, "")
		if response == nil {
			return
		}
		if strings.Contains(response.Body.String(), userDataSecret) {
			t.Errorf("without a token, %q is answered with secrets", raw)
		}
		if response.Code < 200 || response.Code > 599 {
			t.Errorf("%q is answered with the status %d", raw, response.Code)
		}
		answer(t, raw, server.tokens.issue("i-1", time.Now().Add(time.Hour)))
	})
}

// FuzzToken tries tokens that were not issued.
func FuzzToken(f *testing.F) {
	now := time.Unix(1e9, 0)
	issuer := &tokenIssuer{key: make([]byte, 32)}
	issued := issuer.issue("i-1", now.Add(time.Hour))
	f.Add(issued)
	f.Add(issuer.issue("i-2", now.Add(time.Hour)))
	f.Add(issuer.issue("i-1", now))
	f.Add("")
	f.Add(strings.Repeat("A", 56))
	want, err := base64.URLEncoding.DecodeString(issued)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, token string) {
		got, _ := base64.URLEncoding.DecodeString(token)
		if valid := issuer.valid("i-1", token, now); valid != bytes.Equal(got, want) {
			t.Errorf("valid(%q) is %v", token, valid)
		}
	})
}
