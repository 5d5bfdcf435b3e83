//go:build linux

package cloud

import (
	"crypto/tls"
	"fmt"
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/authority"
)

// keyKind is the kind of the keys of the local cloud's own names.
const keyKind = "EC_prime256v1"

// issuer issues certificates for names at which the local cloud itself serves TLS. It remembers them
// until they end soon.
type issuer struct {
	authority *authority.Authority

	mu     sync.Mutex
	issued map[string]*ownCertificate // by the first name
}

// ownCertificate is a certificate of the local cloud's own, in both forms.
type ownCertificate struct {
	authority.Issued
	*tls.Certificate
}

// certificate returns the certificate for names that always come together.
func (i *issuer) certificate(names ...string) (*ownCertificate, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	now := time.Now()
	if c := i.issued[names[0]]; c != nil && now.Before(c.Leaf.NotAfter.Add(-authority.Validity/3)) {
		return c, nil
	}
	issued, err := i.authority.Issue(names, keyKind, now)
	if err != nil {
		return nil, err
	}
	c, err := tls.X509KeyPair([]byte(issued.Certificate+issued.Chain), []byte(issued.Key))
	if err != nil {
		return nil, fmt.Errorf("use the certificate for %s: %w", names[0], err)
	}
	if i.issued == nil {
		i.issued = map[string]*ownCertificate{}
	}
	own := &ownCertificate{issued, &c}
	i.issued[names[0]] = own
	return own, nil
}
