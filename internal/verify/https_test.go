package verify

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/spec"
)

// site is an application with a name, at a load balancer of which tests break one thing.
type site struct {
	certified string // name in the certificate
	expires   time.Duration
	trusted   bool
	redirect  string // location, "" for none
	hsts      string
	resolves  string // address of the name
}

const (
	siteName = "shop.example.com"
	balancer = "balancer.example.net"
)

func goodSite() *site {
	return &site{
		certified: siteName, expires: 30 * 24 * time.Hour, trusted: true,
		redirect: "https://" + siteName + ":443/aloft-verify?redirect=1",
		hsts:     "max-age=31536000", resolves: "192.0.2.9",
	}
}

// certificate returns a certificate of a new authority.
func (s *site) certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	issue := func(template, parent *x509.Certificate, by *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if by == nil {
			parent, by = template, key
		}
		template.SerialNumber, template.NotBefore = big.NewInt(1), time.Now().Add(-365*24*time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return c, key
	}
	root, rootKey := issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: "root"}, NotAfter: time.Now().Add(365 * 24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, nil)
	leaf, key := issue(&x509.Certificate{
		DNSNames: []string{s.certified}, NotAfter: time.Now().Add(s.expires),
	}, root, rootKey)
	roots := x509.NewCertPool()
	if s.trusted {
		roots.AddCert(root)
	}
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}, roots
}

// check runs the check of HTTPS against the site.
func (s *site) check(t *testing.T) finding {
	t.Helper()
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if s.hsts != "" {
			w.Header().Set("Strict-Transport-Security", s.hsts)
		}
	}))
	certificate, roots := s.certificate(t)
	secure.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that clients break off
	secure.StartTLS()
	defer secure.Close()
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != siteName {
			t.Errorf("HTTP is asked for %s", r.Host)
		}
		if s.redirect != "" {
			w.Header().Set("Location", s.redirect)
			w.WriteHeader(http.StatusMovedPermanently)
		}
	}))
	defer plain.Close()
	v := Verifier{
		Roots: roots, Waiting: func(string) {},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			servers := map[string]*httptest.Server{balancer + ":443": secure, balancer + ":80": plain}
			server, ok := servers[address]
			if !ok {
				t.Errorf("dialled %s", address)
				return nil, net.ErrClosed
			}
			return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
		},
		Resolve: func(_ context.Context, host string) ([]string, error) {
			if host == balancer {
				return []string{"192.0.2.8", "192.0.2.9"}, nil
			}
			return []string{s.resolves}, nil
		},
	}
	f := Facts{DNSName: balancer, Spec: &spec.Spec{Domain: []string{siteName}, HSTS: true}}
	f.Spec.LoadBalancer.Port = 80
	return v.checkHTTPS(t.Context(), f)
}

func TestHTTPSIsVerified(t *testing.T) {
	for _, test := range []struct {
		name, says string
		breaks     func(*site)
	}{
		{"chain", "certificate signed by unknown authority", func(s *site) { s.trusted = false }},
		{"name in the certificate", "not shop.example.com", func(s *site) { s.certified = "www.example.com" }},
		{"expired", "certificate has expired", func(s *site) { s.expires = -time.Hour }},
		{"expires soon", "and was not renewed", func(s *site) { s.expires = 6 * 24 * time.Hour }},
		{"no redirect", "HTTP answers 200 OK with location", func(s *site) { s.redirect = "" }},
		{
			"redirect to another name", "not with a redirect to HTTPS",
			func(s *site) { s.redirect = "https://other.example.com/aloft-verify?redirect=1" },
		},
		{
			"redirect to another page", "not with a redirect to HTTPS",
			func(s *site) { s.redirect = "https://" + siteName + "/" },
		},
		{"HSTS", "lack the header Strict-Transport-Security", func(s *site) { s.hsts = "" }},
		{"name", "it resolves to 192.0.2.7", func(s *site) { s.resolves = "192.0.2.7" }},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := goodSite()
			test.breaks(s)
			if got := s.check(t); got.ok || !strings.HasPrefix(got.detail, siteName+": ") ||
				!strings.Contains(got.detail, test.says) {
				t.Errorf("%+v, want %q", got, test.says)
			}
		})
	}
	want := "shop.example.com: valid until " + time.Now().Add(30*24*time.Hour).UTC().Format(time.DateOnly) +
		", HTTP redirects, browsers are told to use HTTPS alone"
	if got := goodSite().check(t); !got.ok || got.detail != want {
		t.Errorf("%+v, want %s", got, want)
	}
}
