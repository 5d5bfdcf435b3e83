package acm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// findCertificate returns the certificate with the ARN, or ACM's error.
func findCertificate(r store.Reader, region identity.Region, arn *string) (*store.Certificate, error) {
	switch name := aws.ToString(arn); {
	case arn == nil:
		return nil, model.Null("certificateArn")
	case !wholeARN.MatchString(name) || len(name) < 20 || len(name) > 2048:
		return nil, model.Refuse("certificateArn", name, "satisfy regular expression pattern: %s", arnPattern)
	}
	row, ok := store.Certificates.Get(r, *arn)
	if !ok || row.Region != region {
		return nil, wire.Errorf("ResourceNotFoundException", "Could not find certificate %s.", *arn)
	}
	return row, nil
}

// keyAlgorithm returns ACM's name for the type and size of a key, or an empty name if
// ACM does not accept it.
func keyAlgorithm(key crypto.PublicKey) types.KeyAlgorithm {
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

// describedKey returns a key's algorithm as descriptions have it: "RSA-2048".
func describedKey(algorithm types.KeyAlgorithm) types.KeyAlgorithm {
	return types.KeyAlgorithm(strings.ReplaceAll(string(algorithm), "_", "-"))
}

// parseStored parses the certificate of a row, which ImportCertificate has validated.
func parseStored(row *store.Certificate) (*x509.Certificate, error) {
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

// domainNames returns the names for which a certificate is valid. The first is ACM's
// DomainName. An IP address is no name: the certificate of one alone has no DomainName.
func domainNames(leaf *x509.Certificate) []string {
	names := leaf.DNSNames
	cn := leaf.Subject.CommonName
	if _, err := netip.ParseAddr(cn); cn == "" || err == nil {
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

// serial returns a certificate's serial number in the form "0a:1b".
func serial(leaf *x509.Certificate) string {
	var parts []string
	for _, b := range leaf.SerialNumber.Bytes() {
		parts = append(parts, fmt.Sprintf("%02x", b))
	}
	return strings.Join(parts, ":")
}

// status returns the status of a certificate. leaf is nil if it is not issued.
func status(row *store.Certificate, leaf *x509.Certificate, now time.Time) types.CertificateStatus {
	switch {
	case leaf == nil && row.Request.TimedOut:
		return types.CertificateStatusValidationTimedOut
	case leaf == nil:
		return types.CertificateStatusPendingValidation
	case now.After(leaf.NotAfter):
		return types.CertificateStatusExpired
	}
	return types.CertificateStatusIssued
}

// issuer returns the name of the organization that issued the certificate or, if there
// is none, the issuer's common name.
func issuer(leaf *x509.Certificate) string {
	if names := leaf.Issuer.Organization; len(names) > 0 {
		return names[0]
	}
	return leaf.Issuer.CommonName
}

// signatureAlgorithm returns the algorithm of a certificate's signature in ACM's form:
// "SHA256WITHRSA".
func signatureAlgorithm(leaf *x509.Certificate) string {
	kind, hash, ok := strings.Cut(leaf.SignatureAlgorithm.String(), "-")
	if !ok {
		return strings.ToUpper(kind)
	}
	if kind == "SHA256" || kind == "SHA384" || kind == "SHA512" || kind == "SHA1" {
		kind, hash = hash, kind
	}
	return strings.ToUpper(hash + "WITH" + kind)
}
