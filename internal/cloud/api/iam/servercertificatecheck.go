package iam

import (
	"crypto/x509"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"aloft.dev/aloft/internal/cloud/keypair"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Lengths in bytes (IAM API Reference, UploadServerCertificate).
const (
	maxCertificate = 16384 // also of private keys
	maxChain       = 2097152
)

// checkCertificate returns the certificate of an upload, or why IAM refuses the upload (IAM User
// Guide, "Manage server certificates in IAM").
func checkCertificate(in *iam.UploadServerCertificateInput, now time.Time) (*x509.Certificate, error) {
	for _, member := range []struct {
		name     string
		text     *string
		most     int
		optional bool
	}{
		{"certificateBody", in.CertificateBody, maxCertificate, false},
		{"privateKey", in.PrivateKey, maxCertificate, false},
		{"certificateChain", in.CertificateChain, maxChain, true},
	} {
		switch {
		case member.text == nil && !member.optional:
			return nil, model.Null(member.name)
		case member.text != nil && *member.text == "":
			return nil, model.TooShort(member.name, 1)
		case len(aws.ToString(member.text)) > member.most:
			return nil, model.TooLong(member.name, member.most)
		}
	}
	body := []byte(*in.CertificateBody)
	leaves, err := keypair.Certificates(body)
	if err != nil || len(leaves) != 1 {
		return nil, unreadableCertificate()
	}
	chain, err := keypair.Certificates([]byte(aws.ToString(in.CertificateChain)))
	if err != nil {
		return nil, unreadableCertificate()
	}
	leaf := leaves[0]
	if now.Before(leaf.NotBefore.Truncate(time.Second)) || now.After(leaf.NotAfter) {
		return nil, malformedCertificate("The certificate is not valid at this time.")
	}
	switch err := keypair.CheckKey(body, []byte(*in.PrivateKey)); {
	case errors.Is(err, keypair.ErrMismatch):
		return nil, wire.Errorf("KeyPairMismatch", "The public key certificate and the private key do not match.")
	case err != nil:
		return nil, malformedCertificate("Invalid Private Key.")
	}
	if i := keypair.BrokenLink(leaf, chain); i >= 0 {
		return nil, malformedCertificate("Unable to validate certificate chain. The certificate chain must start with "+
			"the immediate signing certificate, followed by any intermediaries in order. The index within the chain "+
			"of the invalid certificate is: %d", i)
	}
	return leaf, nil
}

func unreadableCertificate() error {
	return malformedCertificate("Unable to parse certificate. Please ensure the certificate is in PEM format.")
}

func malformedCertificate(format string, args ...any) error {
	return wire.Errorf("MalformedCertificate", format, args...)
}
