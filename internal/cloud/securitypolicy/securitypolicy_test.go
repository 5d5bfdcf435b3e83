package securitypolicy

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"
)

func TestEveryPolicyIsComplete(t *testing.T) {
	all := All()
	if len(all) != len(catalogue) || all[0].Name != Default {
		t.Fatalf("All returned %d policies, the first is %s", len(all), all[0].Name)
	}
	for _, p := range all {
		ascending := slices.IsSortedFunc(p.Versions, func(a, b Version) int { return int(a.ID) - int(b.ID) })
		if len(p.Versions) == 0 || p.Versions[0].ID == 0 || !ascending || len(p.Ciphers) == 0 {
			t.Errorf("%s has the versions %v and %d ciphers", p.Name, p.Versions, len(p.Ciphers))
		}
		if found, ok := Find(p.Name); !ok || found.Name != p.Name {
			t.Errorf("Find(%s) = %s, %v", p.Name, found.Name, ok)
		}
		if Unsupported(p.Name) {
			t.Errorf("%s is in the catalogue and reported as unsupported", p.Name)
		}
	}
}

func TestOnlyKnownCiphersAreLeftOut(t *testing.T) {
	leftOut := []string{"ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES256-SHA384", "AES256-SHA256"}
	for _, row := range catalogue {
		for cipher := range strings.FieldsSeq(row.ciphers) {
			if _, ok := cipherIDs[cipher]; ok == slices.Contains(leftOut, cipher) {
				t.Errorf("%s: cipher %s, which crypto/tls supports: %v", row.name, cipher, ok)
			}
		}
	}
}

func TestApplyTo(t *testing.T) {
	for _, tc := range []struct {
		name      string
		low, high uint16
		pq        bool
	}{
		{Default, tls.VersionTLS10, tls.VersionTLS12, false},
		{"ELBSecurityPolicy-TLS13-1-2-2021-06", tls.VersionTLS12, tls.VersionTLS13, false},
		{"ELBSecurityPolicy-TLS13-1-3-PQ-2025-09", tls.VersionTLS13, tls.VersionTLS13, true},
	} {
		p, _ := Find(tc.name)
		var c tls.Config
		p.ApplyTo(&c)
		if c.MinVersion != tc.low || c.MaxVersion != tc.high || len(c.CipherSuites) != len(p.Ciphers) ||
			slices.Contains(c.CurvePreferences, tls.X25519MLKEM768) != tc.pq {
			t.Errorf("%s: configuration %+v", tc.name, &c)
		}
	}
}

func TestUnsupported(t *testing.T) {
	for name, want := range map[string]bool{
		"ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04": true,
		"ELBSecurityPolicy-Never":                  false,
	} {
		if got := Unsupported(name); got != want {
			t.Errorf("Unsupported(%s) = %v", name, got)
		}
	}
}
