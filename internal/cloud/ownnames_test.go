//go:build linux

package cloud

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/authority"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestOwnNamesHaveCertificatesWhileTheyExist(t *testing.T) {
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	a, err := authority.Open(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	const endpoint, sns = "eice-1.2.ec2-instance-connect-endpoint.us-east-1.localhost", "sns.us-east-1.localhost"
	if err := s.Update(func(tx *store.Tx) error {
		store.InstanceConnectEndpoints.Put(tx, &store.InstanceConnectEndpoint{ID: "eice-1", DNSName: endpoint})
		for arn, protocol := range map[string]string{"1": "http", "2": "https", "3": "email"} {
			region := identity.Region("us-east-1")
			if protocol == "email" {
				region = "eu-west-1"
			}
			store.Subscriptions.Put(tx, &store.Subscription{ARN: arn, Region: region, Protocol: protocol})
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	names := &ownNames{store: s, issuer: &issuer{authority: a}}
	if got := names.ofStore(s.View()); !slices.Equal(got, []string{endpoint, sns}) {
		t.Errorf("the names are %q", got)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.RootPEM())
	for _, name := range []string{endpoint, sns, "SNS.us-east-1.localhost"} {
		first, err := names.certificate(&tls.ClientHelloInfo{ServerName: name})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := first.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if second, err := names.certificate(&tls.ClientHelloInfo{ServerName: name}); err != nil || second != first {
			t.Errorf("%s: another certificate for the next client, %v", name, err)
		}
	}
	for _, name := range []string{"", "sns.eu-west-1.localhost", "example.localhost"} {
		if _, err := names.certificate(&tls.ClientHelloInfo{ServerName: name}); err == nil {
			t.Errorf("a certificate for %q", name)
		}
	}
}
