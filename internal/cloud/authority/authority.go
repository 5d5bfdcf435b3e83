// Package authority is the certificate authority of the local cloud. It issues the
// certificates that users request from AWS Certificate Manager, those of the local cloud's own
// names, and the one for the signatures of Amazon SNS.
//
// There are two roots. The first may sign names below domains that are reserved for
// private use alone, which the certificate itself says (RFC 5280, section 4.2.1.10), so a
// host that trusts it trusts it for no site of the internet, whoever has the key. All
// other names are signed by the second root, which no host should trust.
package authority

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/durable"
)

// reserved are the domains that the first root may sign: those of RFC 6761 for hosts
// themselves, tests and examples, and those for private networks (RFC 8375 and ICANN's
// resolution 2024.07.29.06).
var reserved = []string{"localhost", "test", "example", "home.arpa", "internal"}

const (
	rootValidity = 10 * 365 * 24 * time.Hour
	// backdated is how long before now certificates begin to be valid, for clients whose
	// clocks are behind.
	backdated = time.Hour
)

// Authority issues certificates.
type Authority struct {
	private, public root
	// messages opens the key for messages, at its first use: not every local cloud sends any.
	messages func() (root, error)
}

// root is a certificate with its key, which signs others, or messages.
type root struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// Open returns the authority whose keys are in a folder, which only its owner can read. It
// creates what is missing.
func Open(folder string, now time.Time) (*Authority, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("create the folder of the certificate authority: %w", err)
	}
	a := &Authority{}
	for name, into := range map[string]*root{"private": &a.private, "public": &a.public} {
		var err error
		if *into, err = openRoot(folder, name, func() ([]byte, error) { return newRoot(name, now) }); err != nil {
			return nil, err
		}
	}
	a.messages = sync.OnceValues(func() (root, error) {
		return openRoot(folder, "messages", func() ([]byte, error) { return a.newMessages(now) })
	})
	return a, nil
}

// RootPEM returns the certificate of the root that hosts may trust.
func (a *Authority) RootPEM() []byte { return certificatePEM(a.private.certificate.Raw) }

// Messages returns the key that signs messages of Amazon SNS, and its certificate in PEM. The
// root that hosts may trust has signed it.
func (a *Authority) Messages() (key crypto.Signer, certificate string, err error) {
	m, err := a.messages()
	if err != nil {
		return nil, "", err
	}
	return m.key, string(certificatePEM(m.certificate.Raw)), nil
}

// PublicRootPEM returns the certificate of the root that signs all other names.
func (a *Authority) PublicRootPEM() []byte { return certificatePEM(a.public.certificate.Raw) }

// openRoot reads a root, or writes the one that create returns if its file does not exist. Key
// and certificate share a file, so that no crash separates them.
func openRoot(folder, name string, create func() ([]byte, error)) (root, error) {
	path := filepath.Join(folder, name+".pem")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if text, err = create(); err != nil {
			return root{}, fmt.Errorf("create the certificate authority: %w", err)
		}
		err = durable.WriteFile(path, text, 0o600)
	}
	if err != nil {
		return root{}, fmt.Errorf("open the certificate authority: %w", err)
	}
	opened, err := parseRoot(text)
	if err != nil {
		return root{}, fmt.Errorf("read the certificate authority in %s: %w", path, err)
	}
	return opened, nil
}

// newRoot returns a new key and its certificate.
func newRoot(name string, now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		// Clients find the issuer by its name, so each root needs one of its own.
		Subject: pkix.Name{
			Organization: []string{"Aloft local cloud"},
			CommonName:   fmt.Sprintf("Aloft local cloud, %s names, %s", name, serial.Text(16)[:8]),
		},
		NotBefore: now.Add(-backdated), NotAfter: now.Add(rootValidity),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if name == "private" {
		template.PermittedDNSDomainsCritical, template.PermittedDNSDomains = true, reserved
		for _, all := range []string{"0.0.0.0/0", "::/0"} {
			_, network, err := net.ParseCIDR(all)
			if err != nil {
				return nil, err
			}
			template.ExcludedIPRanges = append(template.ExcludedIPRanges, network)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	secret, err := keyPEM(key)
	if err != nil {
		return nil, err
	}
	return append(certificatePEM(der), secret...), nil
}

func parseRoot(text []byte) (root, error) {
	block, rest := pem.Decode(text)
	if block == nil {
		return root{}, errors.New("the file contains no certificate")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return root{}, err
	}
	if block, _ = pem.Decode(rest); block == nil {
		return root{}, errors.New("the file contains no key")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return root{}, errors.New("the key is damaged") // the cause might reveal a part of it
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return root{}, errors.New("the key cannot sign")
	}
	return root{certificate, signer}, nil
}

// Private reports whether a name, without a dot at its end, is one that the root that
// hosts may trust can sign.
func Private(name string) bool {
	name = strings.TrimPrefix(strings.ToLower(name), "*.")
	for _, domain := range reserved {
		if name == domain || strings.HasSuffix(name, "."+domain) {
			return true
		}
	}
	return false
}

func newSerial() (*big.Int, error) {
	return rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func keyPEM(key any) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
