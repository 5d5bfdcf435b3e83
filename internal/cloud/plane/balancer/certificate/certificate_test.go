//go:build linux

package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

func TestNamesMatchExactlyOrByWildcard(t *testing.T) {
	named := func(names ...string) *x509.Certificate { return &x509.Certificate{DNSNames: names} }
	for _, c := range []struct {
		certificate     *x509.Certificate
		name            string
		exact, wildcard bool
	}{
		{named("www.example.com"), "www.example.com", true, false},
		{named("WWW.Example.com"), "www.example.com", true, false},
		{named("*.example.com"), "www.example.com", false, true},
		{named("*.example.com", "www.example.com"), "www.example.com", true, true},
		{named("*.example.com"), "a.www.example.com", false, false},
		{named("*.example.com"), "example.com", false, false},
		{named("*."), "localhost", false, false},
		{&x509.Certificate{Subject: pkix.Name{CommonName: "old.example.com"}}, "old.example.com", true, false},
	} {
		exact, wildcard := Matches(c.certificate, c.name)
		if exact != c.exact || wildcard != c.wildcard {
			t.Errorf("%v and %s: exact %t, wildcard %t", c.certificate.DNSNames, c.name, exact, wildcard)
		}
	}
}

func TestPreferenceIsAWSs(t *testing.T) {
	now := time.Now()
	of := func(key any, validity time.Duration) *x509.Certificate {
		return &x509.Certificate{PublicKey: key, NotBefore: now, NotAfter: now.Add(validity)}
	}
	curve := func(c elliptic.Curve) any {
		key, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key.Public()
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p256 := curve(elliptic.P256())
	inOrder := []*x509.Certificate{
		of(curve(elliptic.P384()), time.Hour),
		of(p256, 2*time.Hour),
		of(p256, time.Hour),
		of(rsaKey.Public(), 3*time.Hour),
	}
	for i := range inOrder[1:] {
		if preference(inOrder[i], inOrder[i+1]) >= 0 || preference(inOrder[i+1], inOrder[i]) <= 0 {
			t.Errorf("certificate %d does not go before the next", i)
		}
	}
}

func TestParseNamesTheCertificatesThatItCannotRead(t *testing.T) {
	set, err := Parse([]balancer.Certificate{{ARN: "arn:bad", Chain: "nonsense"}})
	if err == nil || !strings.Contains(err.Error(), "arn:bad") {
		t.Errorf("the error is %v", err)
	}
	if _, err := set.Choose(&tls.ClientHelloInfo{}, time.Now()); !errors.Is(err, ErrNone) {
		t.Errorf("the choice from no certificate: %v", err)
	}
}
