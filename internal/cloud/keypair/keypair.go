// Package keypair checks the certificates, chains and private keys that users hand to
// services, in PEM.
package keypair

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
)

// Reasons for which a text is refused. They reveal nothing about keys.
var (
	ErrFormat       = errors.New("it is not in PEM format")
	ErrKeyFormat    = errors.New("the private key is not in PEM format")
	ErrKeyEncrypted = errors.New("the private key is encrypted")
	ErrMismatch     = errors.New("the private key does not match the certificate, or is not supported")
)

// Certificates parses certificates in PEM. It returns ErrFormat for other blocks and other
// text, and the error of a certificate that is malformed.
func Certificates(text []byte) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for rest := bytes.TrimSpace(text); len(rest) > 0; rest = bytes.TrimSpace(rest) {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" {
			return nil, ErrFormat
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// CheckKey refuses a key that is encrypted or does not belong to the certificate.
func CheckKey(certificate, key []byte) error {
	block, _ := pem.Decode(key)
	switch {
	case block == nil || !strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return ErrKeyFormat
	case strings.HasPrefix(block.Type, "ENCRYPTED") || block.Headers["DEK-Info"] != "":
		return ErrKeyEncrypted
	}
	if _, err := tls.X509KeyPair(certificate, key); err != nil {
		return ErrMismatch
	}
	return nil
}

// BrokenLink returns the index of the first certificate of a chain that did not sign the
// one before it, the leaf being before the first. It returns -1 if there is none.
func BrokenLink(leaf *x509.Certificate, chain []*x509.Certificate) int {
	subject := leaf
	for i, issuer := range chain {
		if subject.CheckSignatureFrom(issuer) != nil {
			return i
		}
		subject = issuer
	}
	return -1
}
