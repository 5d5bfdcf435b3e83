//go:build linux

package engine

import (
	"crypto/tls"
	"fmt"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

func TestSecurityPolicyDecidesOnHandshakes(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	certificate := issue(t, rsaKey(t), tomorrow, balancertest.DNSName)
	for _, c := range []struct {
		policy  string
		version uint16
		cipher  uint16
		refused bool
	}{
		{"ELBSecurityPolicy-2016-08", tls.VersionTLS10, 0, false},
		{"ELBSecurityPolicy-2016-08", tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_CBC_SHA, false},
		{"ELBSecurityPolicy-2016-08", tls.VersionTLS13, 0, true},
		{"ELBSecurityPolicy-TLS-1-1-2017-01", tls.VersionTLS10, 0, true},
		{"ELBSecurityPolicy-TLS-1-1-2017-01", tls.VersionTLS11, 0, false},
		{modern, tls.VersionTLS11, 0, true},
		{modern, tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, false},
		{modern, tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_GCM_SHA256, true},
		{modern, tls.VersionTLS13, 0, false},
		{"ELBSecurityPolicy-TLS13-1-2-Res-2021-06", tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, true},
		{"ELBSecurityPolicy-TLS13-1-2-Res-2021-06", tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, false},
		{"ELBSecurityPolicy-TLS13-1-3-2021-06", tls.VersionTLS12, 0, true},
		{"ELBSecurityPolicy-FS-1-2-2019-08", tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_GCM_SHA256, true},
		{"ELBSecurityPolicy-FS-1-2-2019-08", tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, false},
	} {
		conf := withTLS(balancertest.OneGroup(port, 1), c.policy, certificate)
		conf.LoadBalancers[0].Listeners[0].Action = balancertest.Fixed(200, "")
		e.Set(conf)
		config := &tls.Config{InsecureSkipVerify: true, MinVersion: c.version, MaxVersion: c.version}
		if c.cipher != 0 {
			config.CipherSuites = []uint16{c.cipher}
		}
		conn, err := tls.Dial("tcp", fmt.Sprintf("127.0.1.1:%d", port), config)
		if (err != nil) != c.refused {
			t.Errorf("%s, %s, %s: %v", c.policy, tls.VersionName(c.version), tls.CipherSuiteName(c.cipher), err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
}

func TestPostQuantumKeyExchangeDependsOnThePolicy(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	for policy, want := range map[string]tls.CurveID{
		modern: tls.X25519, "ELBSecurityPolicy-TLS13-1-2-PQ-2025-09": tls.X25519MLKEM768,
	} {
		certificate := issue(t, curveKey(t), tomorrow, balancertest.DNSName)
		e.Set(withTLS(balancertest.OneGroup(port, 1), policy, certificate))
		if got := dialTLS(t, port, &tls.Config{}).ConnectionState().CurveID; got != want {
			t.Errorf("%s: %v", policy, got)
		}
	}
}

func TestServerNameChoosesTheCertificate(t *testing.T) {
	curve, rsa := curveKey(t), rsaKey(t)
	certificates := []balancer.Certificate{
		issue(t, rsa, tomorrow, "default.example"),
		issue(t, rsa, tomorrow, "rsa-exact", "www.example.com"),
		issue(t, curve, tomorrow, "curve-exact", "www.example.com"),
		issue(t, curve, tomorrow.Add(time.Hour), "wildcard", "*.example.com"),
		issue(t, curve, time.Now().Add(-time.Hour), "expired", "old.example.com"),
		issue(t, curve, tomorrow, "short", "api.example.net"),
		issue(t, curve, tomorrow.Add(time.Hour), "long", "api.example.net"),
		issue(t, curve, tomorrow, "again", "default.example"),
	}
	e, port := newEngine(t), balancertest.FreePort(t)
	e.Set(withTLS(balancertest.OneGroup(port, 1), modern, certificates...))
	for _, c := range []struct {
		name    string
		ciphers []uint16
		want    string
	}{
		{"", nil, "default.example"},
		{"unknown.example.org", nil, "default.example"},
		{"www.example.com", nil, "curve-exact"},
		{"WWW.example.com", nil, "curve-exact"},
		{"www.example.com", []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}, "rsa-exact"},
		{"other.example.com", nil, "wildcard"},
		{"a.other.example.com", nil, "default.example"},
		{"old.example.com", nil, "wildcard"},
		{"api.example.net", nil, "long"},
		{"default.example", nil, "again"},
	} {
		config := &tls.Config{ServerName: c.name, CipherSuites: c.ciphers}
		if c.ciphers != nil {
			config.MaxVersion = tls.VersionTLS12
		}
		state := dialTLS(t, port, config).ConnectionState()
		if got := state.PeerCertificates[0].Subject.CommonName; got != c.want {
			t.Errorf("%q: %s, want %s", c.name, got, c.want)
		}
	}
}
