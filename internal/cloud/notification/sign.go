package notification

import (
	"crypto"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // signature version 1, the default of Amazon SNS
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"aloft.dev/aloft/internal/cloud/store"
)

// The versions of signatures, by the digest that is signed: SHA-1 and SHA-256.
const (
	Version1 = "1"
	Version2 = "2"
)

// Signer signs messages as Amazon SNS does, so that their receivers can tell who sent them.
type Signer struct {
	// Key returns an RSA key, and its certificate in PEM.
	Key func() (key crypto.Signer, certificate string, err error)
	// Origin returns the beginning of the URL where the subscribers of a region fetch the
	// certificate, such as "https://sns.us-east-1.localhost".
	Origin func(region string) string
}

// CertificatePath begins the paths of certificates.
const CertificatePath = "/SimpleNotificationService-"

// PathOf returns the path of a certificate's URL. It has the form of AWS's, which some
// receivers check, and differs for every certificate.
func PathOf(certificate string) string {
	sum := sha256.Sum256([]byte(certificate))
	return CertificatePath + hex.EncodeToString(sum[:16]) + ".pem"
}

// Endpoint returns the name of Amazon SNS's endpoint in a region.
func Endpoint(region string) string { return "sns." + region + ".localhost" }

// sign adds the signature of a version to a document.
func (s *Signer) sign(d *document, region, version string) error {
	hash, digest := crypto.SHA1, sha1.New() //nolint:gosec // the version's
	if version == Version2 {
		hash, digest = crypto.SHA256, sha256.New()
	}
	digest.Write([]byte(d.canonical())) // never fails (package hash)
	key, certificate, err := s.Key()
	if err != nil {
		return fmt.Errorf("sign the message %s: %w", d.MessageID, err)
	}
	signature, err := key.Sign(rand.Reader, digest.Sum(nil), hash)
	if err != nil {
		return fmt.Errorf("sign the message %s: %w", d.MessageID, err)
	}
	d.SignatureVersion, d.Signature = version, base64.StdEncoding.EncodeToString(signature)
	d.SigningCertURL = s.Origin(region) + PathOf(certificate)
	return nil
}

// canonical returns the text that is signed: names and values, each on a line (Amazon SNS
// Developer Guide, "Verifying the signatures of Amazon SNS messages").
func (d *document) canonical() string {
	fields := [][2]string{{"Message", d.Message}, {"MessageId", d.MessageID}}
	if d.Type == store.SubscriptionConfirmation {
		fields = append(fields, [][2]string{
			{"SubscribeURL", d.SubscribeURL}, {"Timestamp", d.Timestamp}, {"Token", d.Token},
		}...)
	} else {
		if d.Subject != "" {
			fields = append(fields, [2]string{"Subject", d.Subject})
		}
		fields = append(fields, [2]string{"Timestamp", d.Timestamp})
	}
	fields = append(fields, [][2]string{{"TopicArn", d.TopicARN}, {"Type", d.Type}}...)
	var b strings.Builder
	for _, f := range fields {
		b.WriteString(f[0] + "\n" + f[1] + "\n")
	}
	return b.String()
}
