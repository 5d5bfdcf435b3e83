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
	template := &x509.Certificate{
		DNSNames: names, NotBefore: now.Add(-backdated), NotAfter: now.Add(Validity),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	if len(names[0]) <= maxCommonName {
		template.Subject = pkix.Name{CommonName: names[0]}
	}
	if kind == "RSA_2048" {
		template.KeyUsage |= x509.KeyUsageKeyEncipherment
	}
	certificate, key, err := signer.sign(template, kind)
	if err != nil {
		return Issued{}, fmt.Errorf("issue a certificate for %s: %w", names[0], err)
	}
	return Issued{
		Certificate: string(certificate), Chain: string(certificatePEM(signer.certificate.Raw)), Key: string(key),
	}, nil
}

// sign signs a certificate for a new key of a kind. It returns both in PEM.
func (r root) sign(template *x509.Certificate, kind string) (certificate, secret []byte, err error) {
	key, err := newKey(kind)
	if err != nil {
		return nil, nil, err
	}
	if template.SerialNumber, err = newSerial(); err != nil {
		return nil, nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, r.certificate, key.Public(), r.key)
	if err != nil {
		return nil, nil, err
	}
	secret, err = keyPEM(key)
	return certificatePEM(der), secret, err
}

// newMessages returns a new key for messages, with a certificate that is valid as long as its
// root. It is for no server.
func (a *Authority) newMessages(now time.Time) ([]byte, error) {
	certificate, key, err := a.private.sign(&x509.Certificate{
		Subject:  pkix.Name{CommonName: messagesName},
		DNSNames: []string{messagesName}, NotBefore: now.Add(-backdated), NotAfter: a.private.certificate.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}, "RSA_2048")
	return append(certificate, key...), err
}

// messagesName is the name in the certificate for messages, in place of sns.amazonaws.com.
const messagesName = "sns.localhost"

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
