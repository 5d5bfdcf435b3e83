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

// All is the policies that can be had.
func All() []Policy {
	out := make([]Policy, 0, len(catalogue))
	for _, row := range catalogue {
		p := Policy{Name: row.name, PQ: strings.Contains(row.name, "-PQ-")}
		for name := range strings.FieldsSeq(row.versions) {
			p.Versions = append(p.Versions, Version{name, versionIDs[name]})
		}
		priority := int32(0)
		for name := range strings.FieldsSeq(row.ciphers) {
			priority++
			if id, ok := cipherIDs[name]; ok {
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

// Unsupported tells that AWS has a policy of that name, of the kinds that are not
// offered here.
func Unsupported(name string) bool {
	return strings.HasPrefix(name, "ELBSecurityPolicy-TLS13-") &&
		(strings.Contains(name, "-FIPS-") || strings.Contains(name, "-RFC9151-"))
}

// ApplyTo makes a server's configuration keep to the policy.
func (p Policy) ApplyTo(c *tls.Config) {
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
