package notification_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/authority"
	"aloft.dev/aloft/internal/cloud/notification"
	"aloft.dev/aloft/internal/cloud/store"
)

// validate checks a document as the validators of AWS's SDKs for JavaScript and PHP do: the
// names of the signed values depend on the type, and values that are missing are left out.
func validate(t *testing.T, document map[string]any, certificate *x509.Certificate) error {
	t.Helper()
	names := []string{"Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
	var signed strings.Builder
	for _, name := range names {
		if value, ok := document[name].(string); ok {
			signed.WriteString(name + "\n" + value + "\n")
		}
	}
	signature, err := base64.StdEncoding.DecodeString(document["Signature"].(string))
	if err != nil {
		t.Fatal(err)
	}
	key := certificate.PublicKey.(*rsa.PublicKey)
	if document["SignatureVersion"] == "1" {
		digest := sha1.Sum([]byte(signed.String()))
		return rsa.VerifyPKCS1v15(key, crypto.SHA1, digest[:], signature)
	}
	digest := sha256.Sum256([]byte(signed.String()))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature)
}

func TestReceiversCanVerifyMessages(t *testing.T) {
	a, err := authority.Open(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	signer := &notification.Signer{
		Key:    a.Messages,
		Origin: func(region string) string { return "https://" + notification.Endpoint(region) },
	}
	_, text, err := a.Messages()
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(text))
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(a.RootPEM())
	if _, err := certificate.Verify(x509.VerifyOptions{Roots: trusted}); err != nil {
		t.Errorf("the root that hosts trust has not signed the certificate: %v", err)
	}
	letters := notification.Letters{Links: "http://127.0.0.1:4566", Signer: signer}
	subscription := &store.Subscription{ARN: "arn:1", Region: "eu-west-1", Topic: "arn", Token: "secret"}
	for name, d := range map[string]*store.Delivery{
		"a confirmation":    {Type: store.SubscriptionConfirmation, Message: "Confirm."},
		"with a subject":    {Type: store.Notification, Message: "<two>\nlines ü", Subject: "Hello"},
		"without a subject": {Type: store.Notification, Message: "text"},
	} {
		for _, version := range []string{"", "1", "2"} {
			d.MessageID, d.Topic, d.Created = "id", "arn", time.Now()
			body, err := letters.JSON(d, subscription, &store.Topic{SignatureVersion: version})
			if err != nil {
				t.Fatal(err)
			}
			var document map[string]any
			if err := json.Unmarshal(body, &document); err != nil {
				t.Fatal(err)
			}
			if err := validate(t, document, certificate); err != nil {
				t.Errorf("%s, version %q: %v", name, version, err)
			}
			if version != "" && document["SignatureVersion"] != version {
				t.Errorf("%s has version %v, want %s", name, document["SignatureVersion"], version)
			}
			document["Message"] = "forged"
			if validate(t, document, certificate) == nil {
				t.Errorf("%s, version %q: a forged message is valid", name, version)
			}
			url, _ := document["SigningCertURL"].(string)
			if !strings.HasPrefix(url, "https://sns.eu-west-1.localhost/SimpleNotificationService-") ||
				!strings.HasSuffix(url, ".pem") {
				t.Errorf("%s: the certificate is at %s", name, url)
			}
		}
	}
}
