// Package securitypolicy is the catalogue of the security policies that HTTPS
// listeners can have: which versions of TLS and which ciphers are spoken with
// clients (Application Load Balancer guide, Security policies for your
// Application Load Balancer; Elastic Load Balancing API Reference,
// DescribeSSLPolicies).
//
// What crypto/tls cannot do is left out of the policies, so that the answer of
// DescribeSSLPolicies is what is really offered: the CBC ciphers with SHA384
// (ECDHE-*-AES256-SHA384), AES256-SHA256, and the order of preference, which is
// crypto/tls's own. The policies that demand a validated module (FIPS) or
// RFC 9151 are known by name and not offered.
package securitypolicy

import (
	"crypto/tls"
	"slices"
	"strings"
)

// Default is the policy of a listener that is created without one through the
// API. AWS's console proposes another one.
const Default = "ELBSecurityPolicy-2016-08"

// Policy is what a listener agrees upon with clients.
type Policy struct {
	Name     string
	Versions []Version
	Ciphers  []Cipher
	PQ       bool // hybrid post-quantum key exchange is offered too
}

// Version is a version of TLS, as AWS and crypto/tls call it.
type Version struct {
	Name string
	ID   uint16
}

// Cipher is a cipher suite, as OpenSSL and crypto/tls call it, and its place in
// AWS's policy.
type Cipher struct {
	Name     string
	ID       uint16
	Priority int32
}

// The groups of ciphers from which AWS's policies are made, in its order.
const (
	tls13     = "TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256 "
	gcm128    = "ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 "
	cbc128    = "ECDHE-ECDSA-AES128-SHA256 ECDHE-RSA-AES128-SHA256 "
	sha128    = "ECDHE-ECDSA-AES128-SHA ECDHE-RSA-AES128-SHA "
	gcm256    = "ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384 "
	cbc256    = "ECDHE-ECDSA-AES256-SHA384 ECDHE-RSA-AES256-SHA384 "
	sha256    = "ECDHE-RSA-AES256-SHA ECDHE-ECDSA-AES256-SHA "
	rsa       = "AES128-GCM-SHA256 AES128-SHA256 AES256-GCM-SHA384 AES256-SHA256 "
	rsaAndSHA = "AES128-GCM-SHA256 AES128-SHA256 AES128-SHA AES256-GCM-SHA384 AES256-SHA256 AES256-SHA "

	strict  = gcm128 + gcm256
	secret  = gcm128 + cbc128 + gcm256 + cbc256
	secrets = gcm128 + cbc128 + sha128 + gcm256 + cbc256 + sha256
)

// catalogue has a policy a line, in the order of AWS's answer.
var catalogue = []struct {
	name, versions, ciphers string
}{
	{Default, "TLSv1 TLSv1.1 TLSv1.2", secrets + rsaAndSHA},
	{"ELBSecurityPolicy-TLS13-1-2-2021-06", "TLSv1.2 TLSv1.3", tls13 + secret},
	{"ELBSecurityPolicy-TLS13-1-2-Res-2021-06", "TLSv1.2 TLSv1.3", tls13 + strict},
	{"ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06", "TLSv1.2 TLSv1.3", tls13 + secret + rsa},
	{"ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06", "TLSv1.2 TLSv1.3", tls13 + secrets + rsaAndSHA},
	{"ELBSecurityPolicy-TLS13-1-1-2021-06", "TLSv1.1 TLSv1.2 TLSv1.3", tls13 + secrets + rsaAndSHA},
	{"ELBSecurityPolicy-TLS13-1-0-2021-06", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3", tls13 + secrets + rsaAndSHA},
	{"ELBSecurityPolicy-TLS13-1-3-2021-06", "TLSv1.3", tls13},
	{"ELBSecurityPolicy-TLS-1-2-2017-01", "TLSv1.2", secret + rsa},
	{"ELBSecurityPolicy-TLS-1-1-2017-01", "TLSv1.1 TLSv1.2", secrets + rsaAndSHA},
	{"ELBSecurityPolicy-TLS-1-2-Ext-2018-06", "TLSv1.2", secrets + rsaAndSHA},
	{"ELBSecurityPolicy-FS-2018-06", "TLSv1 TLSv1.1 TLSv1.2", secrets},
	{"ELBSecurityPolicy-2015-05", "TLSv1 TLSv1.1 TLSv1.2", secrets + rsaAndSHA},
	{"ELBSecurityPolicy-TLS-1-0-2015-04", "TLSv1 TLSv1.1 TLSv1.2", secrets + rsaAndSHA + "DES-CBC3-SHA"},
	{"ELBSecurityPolicy-FS-1-2-Res-2019-08", "TLSv1.2", secret},
	{"ELBSecurityPolicy-FS-1-1-2019-08", "TLSv1.1 TLSv1.2", secrets},
	{"ELBSecurityPolicy-FS-1-2-2019-08", "TLSv1.2", secrets},
	{"ELBSecurityPolicy-FS-1-2-Res-2020-10", "TLSv1.2", strict},
	{"ELBSecurityPolicy-TLS13-1-2-PQ-2025-09", "TLSv1.2 TLSv1.3", tls13 + secret},
	{"ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", "TLSv1.2 TLSv1.3", tls13 + strict},
	{"ELBSecurityPolicy-TLS13-1-2-Ext1-PQ-2025-09", "TLSv1.2 TLSv1.3", tls13 + secret + rsa},
	{"ELBSecurityPolicy-TLS13-1-2-Ext2-PQ-2025-09", "TLSv1.2 TLSv1.3", tls13 + secrets + rsaAndSHA},
	{"ELBSecurityPolicy-TLS13-1-3-PQ-2025-09", "TLSv1.3", tls13},
}

// All is the policies that can be had.
func All() []Policy {
	out := make([]Policy, 0, len(catalogue))
	for _, row := range catalogue {
		p := Policy{Name: row.name, PQ: strings.Contains(row.name, "-PQ-")}
		for name := range strings.FieldsSeq(row.versions) {
			p.Versions = append(p.Versions, Version{name, versions[name]})
		}
		priority := int32(0)
		for name := range strings.FieldsSeq(row.ciphers) {
			priority++
			if id, ok := suites[name]; ok {
				p.Ciphers = append(p.Ciphers, Cipher{name, id, priority})
			}
		}
		out = append(out, p)
	}
	return out
}

// Find is the policy of that name.
func Find(name string) (Policy, bool) {
	for _, p := range All() {
		if p.Name == name {
			return p, true
		}
	}
	return Policy{}, false
}

// Withheld tells that AWS has a policy of that name, of the kinds that are not
// offered here.
func Withheld(name string) bool {
	return strings.HasPrefix(name, "ELBSecurityPolicy-TLS13-") &&
		(strings.Contains(name, "-FIPS-") || strings.Contains(name, "-RFC9151-"))
}

// Restrict makes a server's configuration keep to the policy.
func (p Policy) Restrict(c *tls.Config) {
	c.MinVersion, c.MaxVersion = p.Versions[0].ID, p.Versions[len(p.Versions)-1].ID
	c.CipherSuites = make([]uint16, 0, len(p.Ciphers))
	for _, cipher := range p.Ciphers {
		c.CipherSuites = append(c.CipherSuites, cipher.ID) // those of TLS 1.3 are ignored there, and always on
	}
	c.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}
	if p.PQ {
		c.CurvePreferences = slices.Concat(
			[]tls.CurveID{tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024},
			c.CurvePreferences,
		)
	}
}

// VersionName is how AWS and OpenSSL call a version of TLS.
func VersionName(id uint16) string {
	for name, v := range versions {
		if v == id {
			return name
		}
	}
	return ""
}

// CipherName is how OpenSSL calls a cipher suite.
func CipherName(id uint16) string {
	for name, v := range suites {
		if v == id {
			return name
		}
	}
	return tls.CipherSuiteName(id)
}

var versions = map[string]uint16{
	"TLSv1":   tls.VersionTLS10,
	"TLSv1.1": tls.VersionTLS11,
	"TLSv1.2": tls.VersionTLS12,
	"TLSv1.3": tls.VersionTLS13,
}

// suites are those of AWS's policies that crypto/tls has.
var suites = map[string]uint16{
	"TLS_AES_128_GCM_SHA256":        tls.TLS_AES_128_GCM_SHA256,
	"TLS_AES_256_GCM_SHA384":        tls.TLS_AES_256_GCM_SHA384,
	"TLS_CHACHA20_POLY1305_SHA256":  tls.TLS_CHACHA20_POLY1305_SHA256,
	"ECDHE-ECDSA-AES128-GCM-SHA256": tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-RSA-AES128-GCM-SHA256":   tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-ECDSA-AES128-SHA256":     tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
	"ECDHE-RSA-AES128-SHA256":       tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
	"ECDHE-ECDSA-AES128-SHA":        tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
	"ECDHE-RSA-AES128-SHA":          tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	"ECDHE-ECDSA-AES256-GCM-SHA384": tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-RSA-AES256-GCM-SHA384":   tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-ECDSA-AES256-SHA":        tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
	"ECDHE-RSA-AES256-SHA":          tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	"AES128-GCM-SHA256":             tls.TLS_RSA_WITH_AES_128_GCM_SHA256,
	"AES128-SHA256":                 tls.TLS_RSA_WITH_AES_128_CBC_SHA256,
	"AES128-SHA":                    tls.TLS_RSA_WITH_AES_128_CBC_SHA,
	"AES256-GCM-SHA384":             tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
	"AES256-SHA":                    tls.TLS_RSA_WITH_AES_256_CBC_SHA,
	"DES-CBC3-SHA":                  tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA,
}
