//go:build linux

package process

import (
	"context"
	"crypto/tls"
	"fmt"
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/linklocal"
)

// identity is the certificate of a VPC endpoint's network interface, which the daemon issues.
type identity struct {
	daemon      *daemon
	interfaceID string
	now         func() time.Time

	mu          sync.Mutex
	certificate *tls.Certificate // nil: the daemon was not asked yet
	asked       time.Time
}

// config returns how connections to the endpoint begin.
func (i *identity) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return i.current(hello.Context())
		},
	}
}

// current returns the certificate, and asks the daemon for it if that is long ago.
func (i *identity) current(ctx context.Context) (*tls.Certificate, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.certificate != nil && i.now().Sub(i.asked) < identityValidity {
		return i.certificate, nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	var answer linklocal.Identity
	_, err := i.daemon.get(
		ctx, linklocal.KindIdentify, &linklocal.Identify{Interface: i.interfaceID}, linklocal.KindIdentity, &answer,
	)
	if err != nil {
		return nil, fmt.Errorf("ask for a certificate: %w", err)
	}
	certificate, err := tls.X509KeyPair([]byte(answer.Certificate), []byte(answer.Key))
	if err != nil {
		return nil, fmt.Errorf("use the certificate of %s: %w", i.interfaceID, err)
	}
	i.certificate, i.asked = &certificate, i.now()
	return i.certificate, nil
}
