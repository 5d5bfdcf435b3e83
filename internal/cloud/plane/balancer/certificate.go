package balancer

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
)

// certificates are those of a listener, ready for handshakes.
type certificates struct {
	standard *tls.Certificate   // for clients that name nothing, or nothing known
	list     []*tls.Certificate // the best first
	arns     map[*tls.Certificate]string
}

// handshakeOf finds, in the context of a handshake, the connection.
type handshakeOf struct{}

// present finds the certificate for a client and notes it with the connection.
func (c certificates) present(hello *tls.ClientHelloInfo, now time.Time) (*tls.Certificate, error) {
	chosen, err := c.choose(hello, now)
	if of, ok := hello.Context().Value(handshakeOf{}).(*connection); ok {
		of.certificate = c.arns[chosen]
	}
	return chosen, err
}

var errNoCertificate = errors.New("the listener has no certificate")

// readCertificates reads PEM. The first one is the default certificate, which is
// not in the list unless it is given twice.
func readCertificates(given []Certificate) (certificates, error) {
	out := certificates{arns: map[*tls.Certificate]string{}}
	var problems []error
	for i, g := range given {
		c, err := tls.X509KeyPair([]byte(g.Chain), []byte(g.Key))
		if err != nil {
			problems = append(problems, fmt.Errorf("certificate %s: %w", g.ARN, err))
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

// preference is AWS's order among certificates for the same name: elliptic
// curves before RSA, then the longer key, then the longer validity (Application
// Load Balancer guide, SSL certificates for your Application Load Balancer:
// Certificate list).
func preference(a, b *x509.Certificate) int {
	lasting := func(c *x509.Certificate) time.Duration { return c.NotAfter.Sub(c.NotBefore) }
	kindA, bitsA := strength(a)
	kindB, bitsB := strength(b)
	return cmp.Or(cmp.Compare(kindA, kindB), cmp.Compare(bitsB, bitsA), cmp.Compare(lasting(b), lasting(a)))
}

func strength(c *x509.Certificate) (kind, bits int) {
	switch key := c.PublicKey.(type) {
	case *ecdsa.PublicKey:
		return 0, key.Params().BitSize
	case *rsa.PublicKey:
		return 1, key.N.BitLen()
	}
	return 2, 0
}

// choose finds the certificate for a client: among those of the list that have
// its name, rather spelled out than by a wildcard, the best one that is valid and
// that the client can use. The default certificate serves all others.
func (c certificates) choose(hello *tls.ClientHelloInfo, now time.Time) (*tls.Certificate, error) {
	name := strings.TrimSuffix(strings.ToLower(hello.ServerName), ".")
	var best *tls.Certificate
	score := 0
	for _, candidate := range c.list {
		if s := suits(candidate, name, hello, now); s > score {
			best, score = candidate, s
		}
	}
	switch {
	case best != nil:
		return best, nil
	case c.standard == nil:
		return nil, errNoCertificate
	}
	return c.standard, nil
}

// suits is how well a certificate suits; 0: it has another name.
func suits(c *tls.Certificate, name string, hello *tls.ClientHelloInfo, now time.Time) int {
	exact, wild := names(c.Leaf, name)
	if name == "" || !exact && !wild {
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

// names tells whether the certificate is for the name, in lower case, spelled out
// or by a wildcard in place of its first label (RFC 9525, section 6.3). Without
// alternative names, the common name counts, as on AWS.
func names(c *x509.Certificate, name string) (exact, wild bool) {
	all := c.DNSNames
	if len(all) == 0 {
		all = []string{c.Subject.CommonName}
	}
	_, parent, _ := strings.Cut(name, ".")
	for _, of := range all {
		of = strings.ToLower(of)
		exact = exact || of == name
		wild = wild || parent != "" && of == "*."+parent
	}
	return exact, wild
}
