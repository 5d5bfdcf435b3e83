package authority

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"time"
)

// Validity is how long certificates are valid. It is shorter than on AWS, where it is
// months: the local cloud renews them itself, and a stolen key should soon be worthless.
const Validity = 30 * 24 * time.Hour

// Issued is a certificate in PEM.
type Issued struct {
	Certificate, Chain, Key string
}

// Issue issues a certificate for names, the first of which is its subject. kind is the
// key's type: "RSA_2048", "EC_prime256v1" or "EC_secp384r1", as in AWS Certificate Manager.
func (a *Authority) Issue(names []string, kind string, now time.Time) (Issued, error) {
	if len(names) == 0 {
		return Issued{}, errors.New("issue a certificate: there are no names")
	}
	signer := a.private
	for _, name := range names {
		if !Private(name) {
			signer = a.public
		}
	}
	key, err := newKey(kind)
	if err != nil {
		return Issued{}, fmt.Errorf("issue a certificate for %s: %w", names[0], err)
	}
	serial, err := newSerial()
	if err != nil {
		return Issued{}, fmt.Errorf("issue a certificate for %s: %w", names[0], err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, DNSNames: names,
		NotBefore: now.Add(-backdated), NotAfter: now.Add(Validity),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	if len(names[0]) <= maxCommonName {
		template.Subject = pkix.Name{CommonName: names[0]}
	}
	if kind == "RSA_2048" {
		template.KeyUsage |= x509.KeyUsageKeyEncipherment
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.certificate, key.Public(), signer.key)
	if err != nil {
		return Issued{}, fmt.Errorf("issue a certificate for %s: %w", names[0], err)
	}
	secret, err := keyPEM(key)
	if err != nil {
		return Issued{}, fmt.Errorf("issue a certificate for %s: %w", names[0], err)
	}
	return Issued{
		Certificate: string(certificatePEM(der)), Chain: string(certificatePEM(signer.certificate.Raw)),
		Key: string(secret),
	}, nil
}

// maxCommonName is the most characters of a common name (RFC 5280, appendix A.1).
const maxCommonName = 64

func newKey(kind string) (crypto.Signer, error) {
	switch kind {
	case "RSA_2048":
		return rsa.GenerateKey(rand.Reader, 2048)
	case "EC_prime256v1":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EC_secp384r1":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	}
	return nil, fmt.Errorf("unknown key algorithm %s", kind)
}
