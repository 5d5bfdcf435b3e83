package authority_test

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/authority"
)

func open(t *testing.T, folder string) *authority.Authority {
	t.Helper()
	a, err := authority.Open(folder, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func parse(t *testing.T, text string) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOnlyReservedNamesAreTrusted(t *testing.T) {
	a := open(t, t.TempDir())
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(a.RootPEM())
	all := trusted.Clone()
	all.AppendCertsFromPEM(a.PublicRootPEM())
	for _, c := range []struct {
		names []string
		host  string
		want  bool
	}{
		{[]string{"api.example.localhost"}, "api.example.localhost", true},
		{[]string{"shop.test", "*.shop.test"}, "www.shop.test", true},
		{[]string{"api.example.com"}, "api.example.com", false},
		{[]string{"api.example.localhost", "api.example.com"}, "api.example.localhost", false},
	} {
		for _, kind := range []string{"EC_prime256v1", "EC_secp384r1", "RSA_2048"} {
			issued, err := a.Issue(c.names, kind, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			leaf := parse(t, issued.Certificate)
			if _, err := leaf.Verify(x509.VerifyOptions{DNSName: c.host, Roots: trusted}); (err == nil) != c.want {
				t.Errorf("%v by the root that hosts may trust: %v", c.names, err)
			}
			if _, err := leaf.Verify(x509.VerifyOptions{DNSName: c.host, Roots: all}); err != nil {
				t.Errorf("%v by either root: %v", c.names, err)
			}
			if got := time.Until(leaf.NotAfter); got > authority.Validity {
				t.Errorf("%v is valid for %s", c.names, got)
			}
		}
	}
}

// Whoever has the key of the trusted root cannot sign for a site of the internet.
func TestTheTrustedRootConstrainsItsNames(t *testing.T) {
	root := parse(t, string(open(t, t.TempDir()).RootPEM()))
	if !root.PermittedDNSDomainsCritical || len(root.PermittedDNSDomains) == 0 || len(root.ExcludedIPRanges) != 2 ||
		!root.MaxPathLenZero {
		t.Errorf("the root allows %q and excludes %v", root.PermittedDNSDomains, root.ExcludedIPRanges)
	}
}

func TestKeysAreCreatedOnceForTheirOwnerAlone(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "authority")
	first, second := open(t, folder), open(t, folder)
	if string(first.RootPEM()) != string(second.RootPEM()) {
		t.Error("the second start has another root")
	}
	for _, name := range []string{"private.pem", "public.pem"} {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "private.pem"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := authority.Open(folder, time.Now()); err == nil {
		t.Error("a damaged key is replaced, which would break what trusts the root")
	}
}
