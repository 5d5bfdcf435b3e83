package acm

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// Limits of what is imported, in bytes (AWS Certificate Manager API Reference,
// ImportCertificate).
const (
	maxCertificate = 32768
	maxKey         = 5120
	maxChain       = 2097152
)

// read takes PEM blocks that hold certificates and nothing else.
func read(field string, text []byte) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for rest := bytes.TrimSpace(text); len(rest) > 0; rest = bytes.TrimSpace(rest) {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" {
			return nil, model.Errorf("Unable to parse the %s: it is not in PEM format.", field)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, model.Errorf("Unable to parse the %s: %v.", field, err)
		}
		out = append(out, c)
	}
	return out, nil
}

// imported is what a user sends, understood.
type imported struct {
	leaf             *x509.Certificate
	body, chain, key string
}

// take checks what a user imports.
func take(certificate, chain, key []byte, now time.Time) (*imported, error) {
	switch {
	case len(certificate) == 0 || len(certificate) > maxCertificate:
		return nil, model.RefuseUntold("certificate", "have length between 1 and %d", maxCertificate)
	case len(key) == 0 || len(key) > maxKey:
		return nil, model.RefuseUntold("privateKey", "have length between 1 and %d", maxKey)
	case len(chain) > maxChain:
		return nil, model.TooLong("certificateChain", maxChain)
	}
	leaves, err := read("certificate", certificate)
	if err != nil {
		return nil, err
	}
	if len(leaves) != 1 {
		return nil, model.Errorf(
			"The certificate field contains more than one certificate. You can specify only one certificate in this field.",
		)
	}
	issuers, err := read("certificate chain", chain)
	if err != nil {
		return nil, err
	}
	leaf := leaves[0]
	if err := checkLeaf(leaf, now); err != nil {
		return nil, err
	}
	if err := checkKey(certificate, key); err != nil {
		return nil, err
	}
	return &imported{
		leaf:  leaf,
		body:  string(certificate),
		chain: string(chain),
		key:   string(key),
	}, checkChain(leaf, issuers)
}

func checkLeaf(leaf *x509.Certificate, now time.Time) error {
	switch {
	case now.Before(leaf.NotBefore):
		return model.Errorf("The certificate is not valid yet. Provide a certificate that is valid now.")
	case now.After(leaf.NotAfter):
		return model.Errorf("The certificate has expired. Provide a certificate that is valid now.")
	case len(leaf.Issuer.Names) == 0:
		return model.Errorf("The issuer of the certificate must not be empty.")
	case algorithm(leaf.PublicKey) == "":
		return model.Errorf("The key algorithm of the certificate is not supported.")
	}
	return nil
}

// checkKey compares key and certificate. The error says nothing of the key.
func checkKey(certificate, key []byte) error {
	block, _ := pem.Decode(key)
	switch {
	case block == nil || !strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return model.Errorf("The private key is not in PEM format.")
	case strings.HasPrefix(block.Type, "ENCRYPTED") || block.Headers["DEK-Info"] != "":
		return model.Errorf("The private key is encrypted. Provide an unencrypted private key.")
	}
	if _, err := tls.X509KeyPair(certificate, key); err != nil {
		return model.Errorf("The private key does not match the certificate, or is not supported.")
	}
	return nil
}

func checkChain(leaf *x509.Certificate, issuers []*x509.Certificate) error {
	if len(issuers) == 0 {
		if leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) != nil {
			return model.Errorf(
				"Provided certificate is not a valid self signed. Please provide either a valid self-signed certificate or certificate chain.",
			)
		}
		return nil
	}
	for subject, rest := leaf, issuers; len(rest) > 0; subject, rest = rest[0], rest[1:] {
		if subject.CheckSignatureFrom(rest[0]) != nil {
			return model.Errorf("Could not validate the certificate with the certificate chain.")
		}
	}
	return nil
}

// algorithm is ACM's name of a key's kind and size; empty: it takes no such key.
func algorithm(key crypto.PublicKey) types.KeyAlgorithm {
	switch key := key.(type) {
	case *rsa.PublicKey:
		switch n := key.N.BitLen(); n {
		case 1024, 2048, 3072, 4096:
			return types.KeyAlgorithm(fmt.Sprintf("RSA_%d", n))
		}
	case *ecdsa.PublicKey:
		switch key.Params().BitSize {
		case 256:
			return types.KeyAlgorithmEcPrime256v1
		case 384:
			return types.KeyAlgorithmEcSecp384r1
		case 521:
			return types.KeyAlgorithmEcSecp521r1
		}
	}
	return ""
}

// leafOf reads a row's certificate, which was checked when it came.
func leafOf(row *store.Certificate) (*x509.Certificate, error) {
	block, _ := pem.Decode([]byte(row.Body))
	if block == nil {
		return nil, fmt.Errorf("read certificate %s: no PEM", row.ARN)
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read certificate %s: %w", row.ARN, err)
	}
	return leaf, nil
}

// domains are the names that the certificate is for; the first one is that by
// which ACM calls it.
func domains(leaf *x509.Certificate) []string {
	names := leaf.DNSNames
	cn := leaf.Subject.CommonName
	if cn == "" {
		return names
	}
	out := []string{cn}
	for _, name := range names {
		if name != cn {
			out = append(out, name)
		}
	}
	return out
}

func uuid(b [16]byte) string {
	text := hex.EncodeToString(b[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// serial is the number of a certificate, as in "0a:1b".
func serial(leaf *x509.Certificate) string {
	var parts []string
	for _, b := range leaf.SerialNumber.Bytes() {
		parts = append(parts, fmt.Sprintf("%02x", b))
	}
	return strings.Join(parts, ":")
}
