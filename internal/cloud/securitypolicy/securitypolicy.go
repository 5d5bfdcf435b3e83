// Package securitypolicy is a catalogue of the security policies that HTTPS
// listeners can have: the versions of TLS and the ciphers that they negotiate
// (Application Load Balancer guide, Security policies for your Application Load
// Balancer; Elastic Load Balancing API Reference, DescribeSSLPolicies).
//
// The policies leave out what crypto/tls cannot do, so that DescribeSSLPolicies
// describes what listeners really offer. Missing are the CBC ciphers with SHA384
// (ECDHE-*-AES256-SHA384) and AES256-SHA256. The order of preference is
// crypto/tls's own. Policies that require a validated module (FIPS) or RFC 9151
// are recognized by name and not supported.
package securitypolicy

import (
	"crypto/tls"
	"slices"
	"strings"
)

// Policy is the set of TLS parameters that a listener negotiates.
type Policy struct {
	Name     string
	Versions []Version
	Ciphers  []Cipher
	PQ       bool // also offers hybrid post-quantum key exchange
}

// Version is a version of TLS with AWS's name and crypto/tls's ID.
type Version struct {
	Name string
	ID   uint16
}

// Cipher is a cipher suite with OpenSSL's name, crypto/tls's ID and its priority
// in AWS's policy.
type Cipher struct {
	Name     string
	ID       uint16
	Priority int32
}

// All returns the supported policies in the order in which AWS lists them.
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

// Find returns the policy with the name, and whether it is supported.
func Find(name string) (Policy, bool) {
	for _, p := range All() {
		if p.Name == name {
			return p, true
		}
	}
	return Policy{}, false
}

// Unsupported reports whether AWS has policies named like this that are not
// supported here.
func Unsupported(name string) bool {
	return strings.HasPrefix(name, "ELBSecurityPolicy-TLS13-") &&
		(strings.Contains(name, "-FIPS-") || strings.Contains(name, "-RFC9151-"))
}

// ApplyTo restricts a server's configuration to the policy.
func (p Policy) ApplyTo(c *tls.Config) {
	c.MinVersion, c.MaxVersion = p.Versions[0].ID, p.Versions[len(p.Versions)-1].ID
	c.CipherSuites = make([]uint16, 0, len(p.Ciphers))
	for _, cipher := range p.Ciphers {
		c.CipherSuites = append(c.CipherSuites, cipher.ID) // crypto/tls ignores those of TLS 1.3, which are always on
	}
	c.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}
	if p.PQ {
		c.CurvePreferences = slices.Concat(
			[]tls.CurveID{tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024},
			c.CurvePreferences,
		)
	}
}
