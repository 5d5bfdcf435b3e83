//go:build linux

// Package certificate chooses a listener's certificate for each TLS client as
// Application Load Balancers do.
package certificate

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

// Set is a listener's certificates, ready for handshakes.
type Set struct {
	standard *tls.Certificate   // for clients that send no name, or an unknown one
	list     []*tls.Certificate // in order of preference
	arns     map[*tls.Certificate]string
}

// ErrNone is returned by Choose when the listener has no certificate.
var ErrNone = errors.New("the listener has no certificate")

// Parse reads certificates in PEM. The first is the default certificate, which is
// not in the list unless it is given twice. The error names the certificates that
// Parse could not read; the set has the others.
func Parse(given []balancer.Certificate) (Set, error) {
	out := Set{arns: map[*tls.Certificate]string{}}
	var problems []error
	for i, g := range given {
		c, err := tls.X509KeyPair([]byte(g.Chain), []byte(g.Key))
		if err != nil {
			problems = append(problems, fmt.Errorf("parse certificate %s: %w", g.ARN, err))
			continue
		}
		out.arns[&c] = g.ARN
		if i == 0 {
			out.standard = &c
		} else {
			out.list = append(out.list, &c)
		}
	}
	slices.SortStableFunc(out.list, func(a, b *tls.Certificate) int { return preference(a.Leaf, b.Leaf) })
	return out, errors.Join(problems...)
}

// ARN returns the ARN of a certificate of the set.
func (s Set) ARN(c *tls.Certificate) string { return s.arns[c] }

// Choose returns the certificate for a client. Among the certificates in the list
// that match the client's name, it prefers those that the client can use, then
// those that are valid now, then an exact name to a wildcard. Other clients get the
// default certificate.
func (s Set) Choose(hello *tls.ClientHelloInfo, now time.Time) (*tls.Certificate, error) {
	name := strings.TrimSuffix(strings.ToLower(hello.ServerName), ".")
	var best *tls.Certificate
	bestScore := 0
	for _, c := range s.list {
		if score := suitability(c, name, hello, now); score > bestScore {
			best, bestScore = c, score
		}
	}
	switch {
	case best != nil:
		return best, nil
	case s.standard == nil:
		return nil, ErrNone
	}
	return s.standard, nil
}

// suitability ranks a certificate for a client; 0 means that it has another name.
func suitability(c *tls.Certificate, name string, hello *tls.ClientHelloInfo, now time.Time) int {
	exact, wildcard := Matches(c.Leaf, name)
	if name == "" || !exact && !wildcard {
		return 0
	}
	score := 1
	if exact {
		score++
	}
	if !now.Before(c.Leaf.NotBefore) && !now.After(c.Leaf.NotAfter) {
		score += 2
	}
	if hello.SupportsCertificate(c) == nil {
		score += 4
	}
	return score
}

// Matches reports whether the certificate is for the name, which must be in lower
// case: exactly, or by a wildcard for the first label (RFC 9525, section 6.3). As on
// AWS, the common name counts if there are no alternative names.
func Matches(c *x509.Certificate, name string) (exact, wildcard bool) {
	names := c.DNSNames
	if len(names) == 0 {
		names = []string{c.Subject.CommonName}
	}
	_, parent, _ := strings.Cut(name, ".")
	for _, n := range names {
		n = strings.ToLower(n)
		exact = exact || n == name
		wildcard = wildcard || parent != "" && n == "*."+parent
	}
	return exact, wildcard
}

// preference compares certificates for the same name in AWS's order: elliptic
// curves before RSA, then the longer key, then the longer validity (Application
// Load Balancer guide, SSL certificates for your Application Load Balancer:
// Certificate list).
func preference(a, b *x509.Certificate) int {
	validity := func(c *x509.Certificate) time.Duration { return c.NotAfter.Sub(c.NotBefore) }
	kindA, bitsA := strength(a)
	kindB, bitsB := strength(b)
	return cmp.Or(cmp.Compare(kindA, kindB), cmp.Compare(bitsB, bitsA), cmp.Compare(validity(b), validity(a)))
}

// strength returns the rank of the key's kind, the best being 0, and its length.
func strength(c *x509.Certificate) (kind, bits int) {
	switch key := c.PublicKey.(type) {
	case *ecdsa.PublicKey:
		return 0, key.Params().BitSize
	case *rsa.PublicKey:
		return 1, key.N.BitLen()
	}
	return 2, 0
}
